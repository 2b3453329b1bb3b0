/* screen.c: gev top with ncurses: the rows, a cursor on one of them, and its stack on demand. */
#include "tools/top/screen.h"

#include <curses.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tools/control.h"
#include "tools/top/words.h"

enum { HEAD = 3, MOST = 512, ESCAPE = 27 };

struct view {
	pid_t pid;
	const char *program;
	enum order order;
	struct picture picture;
	size_t first;  /* the row at the top */
	size_t cursor; /* the row under the cursor */
	bool paused;
};

static const char keys[] =
	"q quit  up/down  enter stack  sort: b busy s switches w waited k stack n name i id  space pause";

static void put(int y, int attribute, const char *text)
{
	attron(attribute);
	mvaddnstr(y, 0, text, COLS);
	clrtoeol();
	if (attribute & A_REVERSE)
		mvchgat(y, 0, -1, (attr_t)attribute, 0, NULL);
	attroff(attribute);
}

static size_t page(void)
{
	return LINES > HEAD + 1 ? (size_t)(LINES - HEAD - 1) : 1;
}

static void keep_in_view(struct view *v)
{
	if (v->cursor >= v->picture.n)
		v->cursor = v->picture.n ? v->picture.n - 1 : 0;
	if (v->cursor < v->first)
		v->first = v->cursor;
	if (v->cursor >= v->first + page())
		v->first = v->cursor - page() + 1;
}

static void draw(struct view *v)
{
	char line[MOST];
	keep_in_view(v);
	erase();
	words_of_process(&v->picture, v->pid, v->program, line, sizeof line);
	put(0, A_BOLD, line);
	words_of_counts(&v->picture, line, sizeof line);
	put(1, 0, line);
	put(2, A_REVERSE, words_of_heading());
	for (size_t i = 0; i < page() && v->first + i < v->picture.n; i++) {
		words_of_row(&v->picture.rows[v->first + i], line, sizeof line);
		put(HEAD + (int)i, v->first + i == v->cursor ? A_STANDOUT : 0, line);
	}
	put(LINES - 1, A_DIM, v->paused ? "paused; space goes on" : keys);
	refresh();
}

/* The greenlet's stack over the whole screen, until a key. */
static void show_stack(const struct view *v)
{
	char question[64], why[256], line[MOST];
	if (v->cursor >= v->picture.n)
		return;
	snprintf(question, sizeof question, "bt %ld\n", v->picture.rows[v->cursor].id);
	int fd = control_ask(v->pid, question, why, sizeof why);
	FILE *answer = fd >= 0 ? fdopen(fd, "r") : NULL;
	erase();
	if (!answer)
		put(0, A_BOLD, why);
	for (int y = 0; answer && y < LINES - 1 && fgets(line, sizeof line, answer); y++) {
		line[strcspn(line, "\n")] = '\0';
		put(y, y ? 0 : A_BOLD, line);
	}
	if (answer)
		fclose(answer);
	else if (fd >= 0)
		close(fd);
	put(LINES - 1, A_DIM, "any key goes back");
	refresh();
	timeout(-1);
	getch();
}

static void sort_by(struct view *v, enum order order)
{
	v->order = order;
	v->cursor = v->first = 0;
	picture_sort(&v->picture, order);
}

/* Whether the user has had enough. */
static bool obey(struct view *v, int key)
{
	switch (key) {
	case 'q':
	case ESCAPE:
		return true;
	case KEY_UP:
		v->cursor -= v->cursor > 0;
		break;
	case KEY_DOWN:
		v->cursor++;
		break;
	case KEY_PPAGE:
		v->cursor -= v->cursor < page() ? v->cursor : page();
		break;
	case KEY_NPAGE:
		v->cursor += page();
		break;
	case KEY_HOME:
		v->cursor = 0;
		break;
	case KEY_END:
		v->cursor = v->picture.n;
		break;
	case '\n':
	case KEY_ENTER:
		show_stack(v);
		break;
	case 'b':
		sort_by(v, BY_BUSY);
		break;
	case 's':
		sort_by(v, BY_SWITCHES);
		break;
	case 'w':
		sort_by(v, BY_WAITED);
		break;
	case 'k':
		sort_by(v, BY_STACK);
		break;
	case 'n':
		sort_by(v, BY_NAME);
		break;
	case 'i':
		sort_by(v, BY_ID);
		break;
	case ' ':
		v->paused = !v->paused;
		break;
	default:
		break;
	}
	return false;
}

/* A new picture in place of the old one. The old one's rows go back into the order of ids to be held against. */
static int renew(struct view *v, char *why, size_t size)
{
	struct picture next;
	picture_sort(&v->picture, BY_ID);
	if (picture_take(&next, v->pid, v->picture.n ? &v->picture : NULL, why, size) != 0)
		return -1;
	picture_free(&v->picture);
	v->picture = next;
	picture_sort(&v->picture, v->order);
	return 0;
}

int screen_run(pid_t pid, const char *program, double seconds, enum order order, char *why, size_t size)
{
	struct view v = {.pid = pid, .program = program, .order = order};
	/* Before the screen is taken: what is wrong at the start is read on the terminal as it was. */
	if (renew(&v, why, size) != 0)
		return -1;
	SCREEN *screen = newterm(NULL, stdout, stdin);
	if (!screen) {
		snprintf(why, size, "this terminal is unknown to ncurses; --batch works");
		picture_free(&v.picture);
		return -1;
	}
	cbreak();
	noecho();
	curs_set(0);
	keypad(stdscr, TRUE);
	int r = 0;
	for (bool enough = false; !enough && r == 0;) {
		draw(&v);
		timeout(v.paused ? -1 : (int)(seconds * 1000));
		int key = getch();
		if (key == ERR || key == KEY_RESIZE)
			r = v.paused ? 0 : renew(&v, why, size);
		else
			enough = obey(&v, key);
	}
	endwin();
	delscreen(screen);
	picture_free(&v.picture);
	return r;
}
