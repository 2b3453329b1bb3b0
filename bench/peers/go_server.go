// go_server: the same server in Go: a goroutine for each connection. GOMAXPROCS says on how many processors.
//
// Usage: go_server PORT    (0: any free port). Prints `listening on 127.0.0.1:PORT`. net sets TCP_NODELAY by itself.
package main

import (
	"fmt"
	"net"
	"os"
)

func serve(connection net.Conn) {
	defer connection.Close()
	buffer := make([]byte, 1024)
	for {
		size, err := connection.Read(buffer)
		for i, c := range buffer[:size] {
			if c >= 'a' && c <= 'z' {
				buffer[i] = c - 'a' + 'A'
			}
		}
		if size > 0 {
			if _, err := connection.Write(buffer[:size]); err != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}

func main() {
	listener, err := net.Listen("tcp4", "127.0.0.1:"+os.Args[1])
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Printf("listening on %v\n", listener.Addr())
	for {
		connection, err := listener.Accept()
		if err == nil {
			go serve(connection)
		}
	}
}
