/* rawcalls.c: finds them with capstone.
 *
 * Instructions of x86 have no fixed places, so a pair of bytes is a system call only if decoding from a known start arrives at it: from
 * the beginning of its function, which the unwinder's table (.eh_frame_hdr) tells, stripped or not. On the way the number is picked up:
 * what was last moved into the register that carries it. A jump may bring another number: it is what the code shows, no more. */
#include "tools/rawcalls.h"

#include <capstone/capstone.h>
#include <gelf.h>
#include <stdlib.h>
#include <string.h>

#include "tools/elf/functions.h"

struct machine {
	int elf;
	cs_arch arch;
	cs_mode mode;
	struct {
		unsigned char bytes[4];
		size_t n;
	} patterns[3];      /* the instructions' bytes */
	unsigned calls[3];  /* capstone's names of them */
	unsigned number[2]; /* the register that carries the number, in its two widths */
	unsigned moves[3];  /* what puts a constant into a register */
	unsigned clears;    /* what makes a register zero, given it twice */
};

static const struct machine machines[] = {
	{
		.elf = EM_X86_64,
		.arch = CS_ARCH_X86,
		.mode = CS_MODE_64,
		.patterns = {{{0x0f, 0x05}, 2}, {{0x0f, 0x34}, 2}, {{0xcd, 0x80}, 2}},
		.calls = {X86_INS_SYSCALL, X86_INS_SYSENTER, X86_INS_INT},
		.number = {X86_REG_EAX, X86_REG_RAX},
		.moves = {X86_INS_MOV, X86_INS_MOVABS},
		.clears = X86_INS_XOR,
	},
	{
		.elf = EM_AARCH64,
		.arch = CS_ARCH_ARM64,
		.mode = CS_MODE_LITTLE_ENDIAN,
		.patterns = {{{0x01, 0x00, 0x00, 0xd4}, 4}},
		.calls = {ARM64_INS_SVC},
		.number = {ARM64_REG_W8, ARM64_REG_X8},
		.moves = {ARM64_INS_MOV, ARM64_INS_MOVZ},
		.clears = 0,
	},
};

enum { N_MACHINES = sizeof machines / sizeof *machines };

struct search {
	const struct machine *machine;
	struct functions functions;
	csh engine;
	cs_insn *instruction;
	void (*found)(const struct rawcall *call, void *arg);
	void *arg;
};

static bool one_of(unsigned id, const unsigned *ids, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (ids[i] != 0 && ids[i] == id)
			return true;
	return false;
}

/* An operand as both processors have it. */
struct operand {
	bool is_register;
	bool is_constant;
	unsigned reg;
	int64_t constant;
};

static size_t operands(const struct search *s, struct operand *out, size_t n)
{
	const cs_detail *d = s->instruction->detail;
	size_t have = s->machine->arch == CS_ARCH_X86 ? d->x86.op_count : d->arm64.op_count;
	for (size_t i = 0; i < n && i < have; i++) {
		if (s->machine->arch == CS_ARCH_X86) {
			const cs_x86_op *op = &d->x86.operands[i];
			out[i] = (struct operand){op->type == X86_OP_REG, op->type == X86_OP_IMM, op->reg, op->imm};
		} else {
			const cs_arm64_op *op = &d->arm64.operands[i];
			out[i] = (struct operand){op->type == ARM64_OP_REG, op->type == ARM64_OP_IMM, op->reg, op->imm};
		}
	}
	return have;
}

/* What the number's register holds after the instruction, as far as it shows. */
static long number_after(const struct search *s, long before)
{
	const struct machine *m = s->machine;
	struct operand op[2] = {{0}};
	size_t n = operands(s, op, 2);
	if (n == 2 && op[0].is_register && one_of(op[0].reg, m->number, 2)) {
		if (one_of(s->instruction->id, m->moves, 3) && op[1].is_constant)
			return (long)op[1].constant;
		if (m->clears && s->instruction->id == m->clears && op[1].is_register && op[1].reg == op[0].reg)
			return 0;
	}
	cs_regs reads, writes;
	uint8_t n_reads, n_writes;
	if (cs_insn_group(s->engine, s->instruction, CS_GRP_CALL))
		return -1;
	if (cs_regs_access(s->engine, s->instruction, reads, &n_reads, writes, &n_writes) == CS_ERR_OK)
		for (uint8_t i = 0; i < n_writes; i++)
			if (one_of(writes[i], m->number, 2))
				return -1;
	return before;
}

/* Decodes from `start` to `address`: whether a system call stands there. `code` is the memory of `base`. */
static void look(const struct search *s, const uint8_t *code, size_t size, uint64_t base, uint64_t address)
{
	uint64_t start = functions_start(&s->functions, address);
	if (start < base)
		start = base;
	const uint8_t *at = code + (start - base);
	size_t left = size - (size_t)(start - base);
	long number = -1;
	while (start < address) {
		if (!cs_disasm_iter(s->engine, &at, &left, &start, s->instruction)) {
			/* Data between functions: on by the smallest step. */
			at++;
			left--;
			start++;
			number = -1;
			continue;
		}
		number = number_after(s, number);
	}
	if (start != address || !cs_disasm_iter(s->engine, &at, &left, &start, s->instruction))
		return;
	if (!one_of(s->instruction->id, s->machine->calls, 3))
		return;
	/* Assemblers put tables between functions. What lies in no known function counts only if it looks like a call, number and all. */
	if (!functions_hold(&s->functions, address) && !rawcall_name(number))
		return;
	struct rawcall call = {address, functions_name(&s->functions, address), number};
	s->found(&call, s->arg);
}

static void look_in(const struct search *s, Elf_Scn *section, const GElf_Shdr *header)
{
	Elf_Data *data = elf_rawdata(section, NULL);
	const uint8_t *code = data ? data->d_buf : NULL;
	for (size_t p = 0; code && p < 3 && s->machine->patterns[p].n; p++) {
		size_t n = s->machine->patterns[p].n;
		const uint8_t *at = code, *end = code + data->d_size;
		while ((at = memmem(at, (size_t)(end - at), s->machine->patterns[p].bytes, n))) {
			look(s, code, data->d_size, header->sh_addr, header->sh_addr + (uint64_t)(at - code));
			at++;
		}
	}
}

static const struct machine *machine_of(Elf *elf)
{
	GElf_Ehdr header;
	for (size_t i = 0; gelf_getehdr(elf, &header) && i < N_MACHINES; i++)
		if (machines[i].elf == header.e_machine)
			return &machines[i];
	return NULL;
}

bool rawcalls_find(const struct object *o, void (*found)(const struct rawcall *call, void *arg), void *arg)
{
	Elf *elf = o->kept;
	struct search s = {.machine = elf ? machine_of(elf) : NULL, .found = found, .arg = arg};
	if (!s.machine || cs_open(s.machine->arch, s.machine->mode, &s.engine) != CS_ERR_OK)
		return false;
	cs_option(s.engine, CS_OPT_DETAIL, CS_OPT_ON);
	s.instruction = cs_malloc(s.engine);
	functions_read(&s.functions, elf);
	for (Elf_Scn *section = NULL; (section = elf_nextscn(elf, section));) {
		GElf_Shdr header;
		if (gelf_getshdr(section, &header) && header.sh_type == SHT_PROGBITS &&
		    (header.sh_flags & SHF_EXECINSTR))
			look_in(&s, section, &header);
	}
	functions_free(&s.functions);
	cs_free(s.instruction, 1);
	cs_close(&s.engine);
	return true;
}
