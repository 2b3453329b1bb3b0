/* iostreams, which are stdio underneath (cin, cout) or read and write by themselves (fstream): lines to a slow reader from several threads, and
 * from a pipe in pieces. */
#include "twin.h"

#include <fstream>
#include <iostream>
#include <string>
#include <thread>

int main()
{
	int in[2], out[2];
	check(pipe(in) == 0 && pipe(out) == 0);
	check(dup2(in[0], 0) == 0);
	int saved = dup(1);
	check(dup2(out[1], 1) == 1 && close(out[1]) == 0);

	std::thread feeder([&] {
		for (int i = 0; i < 2000; i++) {
			std::string text = "word" + std::to_string(i);
			write_all(in[1], text.data(), 3);
			std::this_thread::yield();
			write_all(in[1], text.data() + 3, text.size() - 3);
			write_all(in[1], "\n", 1);
		}
		close(in[1]);
	});
	std::thread echo([&] {
		std::string word;
		while (std::cin >> word)
			std::cout << "echo of " + word + " and some more text to fill the pipe with\n" << std::flush;
	});
	std::thread other([&] {
		std::ofstream file("/dev/fd/1");
		for (int i = 0; i < 2000; i++)
			file << "from a file stream, and flushed: " << i << std::endl;
	});
	report_threads();
	std::thread end([&] {
		feeder.join();
		echo.join();
		other.join();
		check(dup2(saved, 1) == 1);
	});
	size_t echoes = 0, others = 0;
	std::ifstream result("/dev/fd/" + std::to_string(out[0]));
	for (std::string line; std::getline(result, line);) {
		if (line == "echo of word" + std::to_string(echoes) + " and some more text to fill the pipe with")
			echoes++;
		else if (line == "from a file stream, and flushed: " + std::to_string(others))
			others++;
		else
			check(!"a line that nobody has printed");
	}
	end.join();
	std::cout << echoes << " and " << others << " lines" << std::endl;
	return 0;
}
