"""What a test of a command finds: `expect` prints a line for each, `failures()` counts those that differ from what is wanted."""
found = []


def expect(what, got, wanted):
    fits = got == wanted
    found.append(fits)
    print(f"{'ok' if fits else 'NOT OK'}: {what}" + ("" if fits else f":\nwanted {wanted!r}\ngot    {got!r}"))


def failures():
    return found.count(False)
