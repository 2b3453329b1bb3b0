/* functions.c: the functions of an ELF file, from the unwinder's tables and from the symbols.
 *
 * .eh_frame_hdr (LSB Core, "Exception Frames"): a version byte, three encodings, the address of .eh_frame, the number of rows, the rows:
 * pairs of 32-bit offsets from the section's own address, of a function's beginning and of its record in .eh_frame. The record: its
 * length, a pointer, the beginning, the size. Linkers write the table in these encodings, and compilers the records, four bytes each;
 * strip leaves both, because exceptions need them. */
#include "tools/elf/functions.h"

#include <stdlib.h>
#include <string.h>

enum {
	UDATA4 = 0x03,         /* DW_EH_PE_udata4 */
	PCREL_SDATA4 = 0x1b,   /* DW_EH_PE_pcrel | DW_EH_PE_sdata4 */
	DATAREL_SDATA4 = 0x3b, /* DW_EH_PE_datarel | DW_EH_PE_sdata4 */
	HEADER = 12,
	SIZE_IN_RECORD = 12,
};

/* Room for `more` functions behind those that are there. */
static struct function *grow(struct functions *f, size_t more)
{
	struct function *grown = realloc(f->list, (f->n + more + 1) * sizeof *grown);
	if (grown)
		f->list = grown;
	return grown;
}

struct part {
	const unsigned char *bytes;
	size_t size;
	uint64_t address;
};

static struct part part_of(Elf_Scn *section, const GElf_Shdr *header)
{
	Elf_Data *data = elf_rawdata(section, NULL);
	return (struct part){data ? data->d_buf : NULL, data ? data->d_size : 0, header->sh_addr};
}

static uint32_t word(const unsigned char *at)
{
	uint32_t value;
	memcpy(&value, at, sizeof value);
	return value;
}

static uint64_t beside(const struct part *p, const unsigned char *at)
{
	return p->address + (uint64_t)(int64_t)(int32_t)word(at);
}

static void read_table(struct functions *f, const struct part *table, const struct part *records)
{
	const unsigned char *b = table->bytes;
	if (!b || table->size < HEADER || b[1] != PCREL_SDATA4 || b[2] != UDATA4 || b[3] != DATAREL_SDATA4)
		return;
	size_t n = word(b + 8);
	if (n > (table->size - HEADER) / 8 || !grow(f, n))
		return;
	for (const unsigned char *row = b + HEADER; n-- > 0; row += 8) {
		uint64_t at = beside(table, row + 4) - records->address + SIZE_IN_RECORD;
		bool inside = records->bytes && at < records->size && records->size - at >= sizeof(uint32_t);
		f->list[f->n++] = (struct function){beside(table, row), inside ? word(records->bytes + at) : 0, NULL};
	}
}

static void read_names(struct functions *f, Elf *elf, Elf_Scn *section, const GElf_Shdr *header)
{
	Elf_Data *data = elf_getdata(section, NULL);
	size_t n = data && header->sh_entsize ? header->sh_size / header->sh_entsize : 0;
	if (!grow(f, n))
		return;
	for (size_t i = 0; i < n; i++) {
		GElf_Sym symbol;
		if (!gelf_getsym(data, (int)i, &symbol) || GELF_ST_TYPE(symbol.st_info) != STT_FUNC ||
		    symbol.st_shndx == SHN_UNDEF)
			continue;
		const char *name = elf_strptr(elf, header->sh_link, symbol.st_name);
		f->list[f->n++] = (struct function){symbol.st_value, symbol.st_size, name};
	}
}

static int by_start(const void *a, const void *b)
{
	const struct function *x = a, *y = b;
	return x->start < y->start ? -1 : x->start > y->start;
}

void functions_read(struct functions *f, Elf *elf)
{
	size_t names = 0;
	struct part table = {0}, records = {0};
	*f = (struct functions){0};
	elf_getshdrstrndx(elf, &names);
	for (Elf_Scn *section = NULL; (section = elf_nextscn(elf, section));) {
		GElf_Shdr header;
		if (!gelf_getshdr(section, &header))
			continue;
		const char *name = elf_strptr(elf, names, header.sh_name);
		if (header.sh_type == SHT_SYMTAB || header.sh_type == SHT_DYNSYM)
			read_names(f, elf, section, &header);
		else if (name && strcmp(name, ".eh_frame_hdr") == 0)
			table = part_of(section, &header);
		else if (name && strcmp(name, ".eh_frame") == 0)
			records = part_of(section, &header);
	}
	read_table(f, &table, &records);
	if (f->n)
		qsort(f->list, f->n, sizeof *f->list, by_start);
}

void functions_free(struct functions *f)
{
	free(f->list);
}

/* How many begin at or before the address. */
static size_t before(const struct functions *f, uint64_t address)
{
	size_t low = 0, high = f->n;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (f->list[middle].start <= address)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

uint64_t functions_start(const struct functions *f, uint64_t address)
{
	size_t n = before(f, address);
	return n ? f->list[n - 1].start : address;
}

/* Functions do not overlap, but for their parts that have symbols of their own: a few steps back are enough. */
static const struct function *holder(const struct functions *f, uint64_t address, bool named)
{
	enum { STEPS = 64 };
	size_t n = before(f, address);
	for (size_t i = n; i > 0 && n - i < STEPS; i--) {
		const struct function *one = &f->list[i - 1];
		if (address - one->start < one->size && (!named || one->name))
			return one;
	}
	return NULL;
}

bool functions_hold(const struct functions *f, uint64_t address)
{
	return holder(f, address, false) != NULL;
}

const char *functions_name(const struct functions *f, uint64_t address)
{
	const struct function *one = holder(f, address, true);
	return one ? one->name : NULL;
}
