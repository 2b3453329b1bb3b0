"""The programs from Debian packages, all of them: what docs/compatibility.md and docs/programs.md tell of. As a program: their packages."""
import ends
import pools
import proxies
import rough
import servers

CASES = [*proxies.CASES, *servers.CASES, *pools.CASES, *rough.CASES, *ends.CASES]

if __name__ == "__main__":
    print(*sorted({package for case in CASES for package in case.package.split()}))
