// A thread in C++ that waits: its functions have mangled names. Ends when its standard input does.
#include <cstdio>
#include <mutex>
#include <thread>
#include <unistd.h>

namespace bank
{

std::mutex vault;

struct account {
	__attribute__((noinline)) void pay(int amount);
};

void account::pay(int amount)
{
	std::lock_guard<std::mutex> guard(vault);
	std::printf("%d\n", amount);
}

} // namespace bank

int main()
{
	bank::vault.lock();
	std::thread payer([] {
		bank::account mine;
		mine.pay(1);
	});
	usleep(1);
	std::printf("ready %d\n", getpid());
	std::fflush(stdout);
	char byte;
	while (read(STDIN_FILENO, &byte, 1) > 0)
		;
	_exit(0);
}
