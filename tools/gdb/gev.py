"""gdb: `info greenlets`, `greenlet N`, `greenlet apply all bt`; in live processes and in core files.

gdb loads this by itself: it lies beside libgev.so under the name that gdb looks for, libgev.so.VERSION-gdb.py ("Auto-loading" in gdb's
manual; `add-auto-load-safe-path` says whom gdb trusts). It needs no debug information: gev_debug_v1, which libgev exports, says what
lies where (lib/core/debug.h).

How a greenlet that does not run is shown without touching a register, which a core file would not allow: an unwinder that, asked who called
the innermost frame of the thread, answers with the place where the greenlet stands. gdb unwinds on from there by itself. So frame 0 remains the
thread's own, and the greenlet's frames begin at 1; backtraces leave frame 0 out.
"""
import contextlib
import itertools
import os
import struct

import gdb
import gdb.unwinder

TABLE = struct.Struct("=IIQQ4I12I")
RUNTIME = ("libgev.so", "libpatch.so", "libev.so", "libc.so", "libc-", "ld-linux")
# Stack pointer, frame pointer, program counter, by gdb's name of the architecture.
REGISTERS = {"i386:x86-64": ("rsp", "rbp", "rip"), "aarch64": ("sp", "x29", "pc")}


def memory(address, layout):
    size = struct.calcsize(layout)
    return struct.unpack(layout, gdb.selected_inferior().read_memory(address, size).tobytes())[0]


def text(address, most):
    return gdb.selected_inferior().read_memory(address, most).tobytes().split(b"\0")[0].decode(errors="replace")


class Table:
    """gev_debug_v1, read."""

    def __init__(self):
        try:
            address = int(gdb.parse_and_eval("(unsigned long)&gev_debug_v1"))
        except gdb.error:
            raise gdb.GdbError("No libgev in this process.") from None
        raw = gdb.selected_inferior().read_memory(address, TABLE.size).tobytes()
        _, _, self.hubs, states, *offsets = TABLE.unpack(raw)
        self.hub_next, self.hub_self, self.hub_main, self.hub_all = offsets[:4]
        (self.next, self.state, self.own, self.name, self.name_size, self.entry, self.low, self.high, self.sp, self.fp, self.pc,
         self.tp) = offsets[4:]
        self.states = text(states, 64).split()


class Greenlet:
    def __init__(self, table, address, main=False):
        self.address = address
        self.main = main
        self.state = table.states[memory(address + table.state, "=B")]
        self.name = "main" if main else text(address + table.name, table.name_size)
        self.entry = memory(address + table.entry, "=Q")
        self.low = memory(address + table.low, "=Q")
        self.high = memory(address + table.high, "=Q")
        self.tp = memory(address + table.tp, "=Q")
        self.sp, self.fp, self.pc = (memory(address + at, "=Q") for at in (table.sp, table.fp, table.pc))

    def has(self, sp):
        return self.low < sp <= self.high

    @property
    def stands(self):
        """It is not on a processor, and has something to show."""
        return self.state in ("ready", "parked")


def greenlets():
    """In the order in which they were made: they are numbered by it, from 1."""
    table = Table()
    hub = memory(table.hubs, "=Q")
    hubs = []
    while hub:
        hubs.append(hub)
        hub = memory(hub + table.hub_next, "=Q")
    found = []
    for hub in reversed(hubs):
        made = []
        address = memory(hub + table.hub_all, "=Q")
        while address:
            made.append(Greenlet(table, address))
            address = memory(address + table.next, "=Q")
        found.append(Greenlet(table, hub + table.hub_main, main=True))
        found += reversed(made)
    return found


def register_names():
    name = gdb.selected_frame().architecture().name()
    if name not in REGISTERS:
        raise gdb.GdbError(f"No greenlets on {name}.")
    return REGISTERS[name]


def register(frame, name):
    return int(frame.read_register(name)) & (1 << 64) - 1


class Point:
    """A frame's identity, as gdb's unwinders want it."""

    def __init__(self, sp, pc):
        self.sp = gdb.Value(sp)
        self.pc = gdb.Value(pc)


class Unwinder(gdb.unwinder.Unwinder):
    def __init__(self):
        super().__init__("gev")
        self.greenlet = None

    def show(self, greenlet):
        """From now on the selected thread's innermost frame was called by the greenlet's; None: no more."""
        self.greenlet = None
        gdb.invalidate_cached_frames()
        if greenlet:
            self.names = register_names()
            newest = gdb.newest_frame()
            self.sp, self.pc = register(newest, self.names[0]), newest.pc()
            self.greenlet = greenlet
            gdb.invalidate_cached_frames()

    def __call__(self, pending):
        g = self.greenlet
        if g is None:
            return None
        sp, fp, pc = self.names
        if register(pending, pc) != self.pc or register(pending, sp) != self.sp:
            return None
        # gdb ends a backtrace whose stack goes the wrong way, so this frame is said to lie just below the greenlet's.
        info = pending.create_unwind_info(Point(g.sp - 256, self.pc))
        for name, value in ((sp, g.sp), (fp, g.fp), (pc, g.pc)):
            info.add_saved_register(name, gdb.Value(value))
        return info

    def is_first(self, frame):
        return frame.pc() == self.greenlet.pc and register(frame, self.names[0]) == self.greenlet.sp


unwinder = Unwinder()


class Filter:
    """Backtraces of a greenlet begin with its own innermost frame."""

    def __init__(self):
        self.name = "gev"
        self.priority = 100
        self.enabled = True
        gdb.frame_filters[self.name] = self

    def filter(self, frames):
        if unwinder.greenlet is None:
            return frames
        return itertools.dropwhile(lambda frame: not unwinder.is_first(frame.inferior_frame()), frames)


def frames_of(greenlet):
    """Innermost first; the greenlet must be shown, or be the one that runs on the selected thread."""
    frame = gdb.newest_frame()
    while frame and unwinder.greenlet and not unwinder.is_first(frame):
        frame = frame.older()
    while frame:
        yield frame
        frame = frame.older()


def thread_of(greenlet, everybody):
    """The OS thread that runs it; None: nobody. Main's stack is not known, but its thread pointer is, and that no other has the stack."""
    for thread in gdb.selected_inferior().threads():
        thread.switch()
        frame = gdb.newest_frame()
        sp = register(frame, register_names()[0])
        if greenlet.has(sp):
            return thread
        if greenlet.main and not any(other.has(sp) for other in everybody):
            base = "fs_base" if "rsp" in register_names() else "tpidr"
            with contextlib.suppress(gdb.error, ValueError):
                if register(frame, base) == greenlet.tp:
                    return thread
    return None


@contextlib.contextmanager
def kept():
    """The selected thread and frame, and the greenlet that is shown, afterwards as before."""
    thread, shown = gdb.selected_thread(), unwinder.greenlet
    level = gdb.selected_frame().level()
    try:
        yield
    finally:
        unwinder.show(None)
        if thread and thread.is_valid():
            thread.switch()
        unwinder.show(shown)
        frame = gdb.newest_frame()
        while frame and frame.level() < level:
            frame = frame.older()
        if frame:
            frame.select()


def enter(greenlet, everybody):
    """Makes its frames the ones that gdb's commands see. False: it has none."""
    unwinder.show(None)
    if greenlet.stands:
        unwinder.show(greenlet)
        return True
    if greenlet.state == "running":
        thread = thread_of(greenlet, everybody)
        if thread:
            thread.switch()
            return True
    return False


def symbol(address):
    """The name of the function there."""
    words = gdb.execute(f"info symbol {address}", to_string=True).split()
    return words[0] if words and words[0] != "No" else hex(address)


def place(frame):
    if frame.pc() == 0:
        return "? (its stack is not in this core file; gcore leaves stacks out unless the program ran with GEV_GUARD=0)"
    sal = frame.find_sal()
    where = f" at {sal.symtab.filename}:{sal.line}" if sal.symtab else ""
    library = gdb.solib_name(frame.pc())
    if not where and library:
        where = f" from {library}"
    return f"{frame.name() or hex(frame.pc())}{where}"


def own_frame(greenlet):
    """Its innermost frame that is neither the runtime's nor libc's; else the innermost of all."""
    frames = list(itertools.islice(frames_of(greenlet), 40))
    for frame in frames:
        library = os.path.basename(gdb.solib_name(frame.pc()) or "")
        if not library.startswith(RUNTIME):
            return frame
    return frames[0]


class InfoGreenlets(gdb.Command):
    """Lists the greenlets: number, state, name, and where each stands."""

    def __init__(self):
        super().__init__("info greenlets", gdb.COMMAND_STATUS)

    def invoke(self, argument, from_tty):
        everybody = greenlets()
        shown = unwinder.greenlet
        with kept():
            for number, greenlet in enumerate(everybody, 1):
                where = place(own_frame(greenlet)) if enter(greenlet, everybody) else symbol(greenlet.entry)
                mark = "*" if shown and shown.address == greenlet.address else " "
                print(f"{mark} {number:<5} {greenlet.state:<8} {greenlet.name or '-':<16} {where}")
        if not everybody:
            print("No greenlets.")


class SelectGreenlet(gdb.Command):
    """greenlet N: frames are those of greenlet N from now on; until the program runs on. `info greenlets` numbers them.
greenlet: says which one it is. greenlet off: back to the thread."""

    def __init__(self):
        super().__init__("greenlet", gdb.COMMAND_STACK, prefix=True)

    def invoke(self, argument, from_tty):
        if argument == "off":
            unwinder.show(None)
            gdb.execute("frame")
            return
        everybody = greenlets()
        if not argument:
            shown = unwinder.greenlet
            number = next((n for n, g in enumerate(everybody, 1) if shown and g.address == shown.address), None)
            print(f"[Current greenlet is {number}]" if number else "[No greenlet selected; frames are the thread's]")
            return
        number, greenlet = pick(argument, everybody)
        if not enter(greenlet, everybody):
            raise gdb.GdbError(f"Greenlet {number} is {greenlet.state}: it has no frames.")
        print(f"[Switching to greenlet {number} \"{greenlet.name or '-'}\", {greenlet.state}]")
        own_frame(greenlet).select()
        gdb.execute("frame")


class ApplyGreenlet(gdb.Command):
    """greenlet apply all COMMAND, greenlet apply N... COMMAND: runs a gdb command for each of these greenlets."""

    def __init__(self):
        super().__init__("greenlet apply", gdb.COMMAND_STACK)

    def invoke(self, argument, from_tty):
        words = argument.split()
        everybody = greenlets()
        if words[:1] == ["all"]:
            chosen, command = list(enumerate(everybody, 1)), words[1:]
        else:
            numbers = list(itertools.takewhile(str.isdigit, words))
            chosen, command = [pick(number, everybody) for number in numbers], words[len(numbers):]
        if not chosen or not command:
            raise gdb.GdbError("greenlet apply all|N... COMMAND")
        with kept():
            for number, greenlet in chosen:
                print(f"\nGreenlet {number} \"{greenlet.name or '-'}\" ({greenlet.state}):")
                if not enter(greenlet, everybody):
                    print(f"starts at {symbol(greenlet.entry)}" if greenlet.state == "new" else "no frames")
                    continue
                own_frame(greenlet).select()
                gdb.execute(" ".join(command))


def pick(word, everybody):
    if not word.isdigit() or not 1 <= int(word) <= len(everybody):
        raise gdb.GdbError(f"No greenlet {word}; `info greenlets` lists them.")
    return int(word), everybody[int(word) - 1]


if "gev" not in gdb.frame_filters:
    gdb.unwinder.register_unwinder(None, unwinder, replace=True)
    Filter()
    InfoGreenlets()
    SelectGreenlet()
    ApplyGreenlet()
    # What stood there may have gone on.
    gdb.events.cont.connect(lambda event: unwinder.show(None) if unwinder.greenlet else None)
