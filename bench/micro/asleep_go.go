// asleep_go: goroutines asleep, on one processor. Usage and output as bench/micro/asleep.h says.
package main

import (
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

func weigh() (rss, pte int) {
	status, _ := os.ReadFile("/proc/self/status")
	for _, line := range strings.Split(string(status), "\n") {
		fields := strings.Fields(line)
		if len(fields) > 1 && fields[0] == "VmRSS:" {
			rss, _ = strconv.Atoi(fields[1])
		} else if len(fields) > 1 && fields[0] == "VmPTE:" {
			pte, _ = strconv.Atoi(fields[1])
		}
	}
	return
}

func cpu() float64 {
	var usage syscall.Rusage
	syscall.Getrusage(syscall.RUSAGE_SELF, &usage)
	return float64(usage.Utime.Nano()+usage.Stime.Nano()) / 1e9
}

var sleeping, n, rss, pte int

func deeper(wakeAt time.Time) {
	if sleeping++; sleeping == n {
		rss, pte = weigh()
	}
	time.Sleep(time.Until(wakeAt))
}

func main() {
	runtime.GOMAXPROCS(1)
	n, _ = strconv.Atoi(os.Args[1])
	seconds, _ := strconv.ParseFloat(os.Args[2], 64)
	beforeRss, beforePte := weigh()
	from := cpu()
	wakeAt := time.Now().Add(time.Duration(seconds * 1e9))
	var done sync.WaitGroup
	done.Add(n)
	for i := 0; i < n; i++ {
		go func() {
			deeper(wakeAt)
			done.Done()
		}()
	}
	done.Wait()
	fmt.Printf("{\"n\": %d, \"before_kb\": %d, \"rss_kb\": %d, \"pte_kb\": %d, \"cpu_s\": %.6f, \"late_s\": %.3f}\n",
		n, beforeRss+beforePte, rss, pte, cpu()-from, time.Since(wakeAt).Seconds())
	if sleeping != n {
		os.Exit(1)
	}
}
