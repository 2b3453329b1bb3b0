"""The programs from Debian packages, all of them: what docs/compatibility.md and docs/programs.md tell of."""
import ends
import proxies
import servers

CASES = [*proxies.CASES, *servers.CASES, *ends.CASES]
