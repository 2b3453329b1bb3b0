// micro_go: goroutines on one processor.
package main

import (
	"fmt"
	"os"
	"runtime"
	"strconv"
	"sync"
	"time"
)

var scale = 1.0

func times(n int) int { return int(float64(n)*scale) + 1 }

func report(what string, from time.Time, n int) {
	fmt.Printf("{\"what\": \"%s\", \"ns\": %.2f}\n", what, float64(time.Since(from).Nanoseconds())/float64(n))
}

func yields(what string, goroutines, total int) {
	each := total/goroutines + 1
	var done sync.WaitGroup
	done.Add(goroutines)
	from := time.Now()
	for i := 0; i < goroutines; i++ {
		go func() {
			for k := 0; k < each; k++ {
				runtime.Gosched()
			}
			done.Done()
		}()
	}
	done.Wait()
	report(what, from, each*goroutines)
}

func spawnJoin(n int) {
	var done sync.WaitGroup
	from := time.Now()
	for i := 0; i < n; i++ {
		done.Add(1)
		go done.Done()
		done.Wait()
	}
	report("spawn, run, join", from, n)
}

func channel(n int) {
	there, back := make(chan int), make(chan int)
	go func() {
		for value := range there {
			back <- value + 1
		}
	}()
	from := time.Now()
	for i := 0; i < n; i++ {
		there <- i
		if <-back != i+1 {
			os.Exit(1)
		}
	}
	report("hand-off by channel or queue", from, 2*n)
	close(there)
}

func handOff(n int) {
	var lock sync.Mutex
	turned := sync.NewCond(&lock)
	turn := 0
	takeTurns := func(me int) {
		lock.Lock()
		for i := 0; i < n; i++ {
			for turn != me {
				turned.Wait()
			}
			turn = 1 - me
			turned.Signal()
		}
		lock.Unlock()
	}
	var done sync.WaitGroup
	done.Add(1)
	from := time.Now()
	go func() {
		takeTurns(1)
		done.Done()
	}()
	takeTurns(0)
	done.Wait()
	report("hand-off by semaphore or condition", from, 2*n)
}

func main() {
	runtime.GOMAXPROCS(1)
	if len(os.Args) > 1 {
		scale, _ = strconv.ParseFloat(os.Args[1], 64)
	}
	yields("yield, 2 runnable", 2, times(2000000))
	yields("yield, 1000 runnable", 1000, times(2000000))
	spawnJoin(times(500000))
	handOff(times(500000))
	channel(times(500000))
}
