// The other implementation: hashicorp/yamux behind a small command language, for yamux_go_test.ts.
//
// Usage: peer ROLE ADDRESS [BACKLOG]
//
// The first byte of a stream says what is to be done with it. A GoAway is sent when a stream asks for it.
package main

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"io"
	"log"
	"net"
	"os"
	"strconv"
	"time"

	"github.com/hashicorp/yamux"
)

func must(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

func main() {
	conn, err := net.Dial("tcp", os.Args[2])
	must(err)
	config := yamux.DefaultConfig()
	config.LogOutput = io.Discard
	config.KeepAliveInterval = 200 * time.Millisecond
	lazy := false
	if len(os.Args) > 3 {
		config.AcceptBacklog, err = strconv.Atoi(os.Args[3])
		must(err)
		lazy = true
	}
	var session *yamux.Session
	if os.Args[1] == "client" {
		session, err = yamux.Client(conn, config)
	} else {
		session, err = yamux.Server(conn, config)
	}
	must(err)
	for lazy && !session.IsClosed() {
		time.Sleep(10 * time.Millisecond)
	}
	for {
		stream, err := session.AcceptStream()
		if err != nil {
			fmt.Println("ended:", err)
			return
		}
		go serve(session, stream)
	}
}

func serve(session *yamux.Session, stream *yamux.Stream) {
	command := make([]byte, 1)
	if _, err := io.ReadFull(stream, command); err != nil {
		fmt.Println("no command:", err)
		return
	}
	switch command[0] {
	case 'E': // sends everything back
		io.Copy(stream, stream)
		stream.Close()
	case 'S': // answers the end with the SHA-256 of what came before it
		hash := sha256.New()
		io.Copy(hash, stream)
		io.WriteString(stream, hex.EncodeToString(hash.Sum(nil)))
		stream.Close()
	case 'P': // u32 length: sends that much of a pattern, then its SHA-256, then closes
		produce(stream)
	case 'H': // half-closes first
		io.WriteString(stream, "bye")
		stream.Close()
	case 'R': // waits for the reset and says on stdout what it looked like
		io.WriteString(stream, "r")
		_, err := io.Copy(io.Discard, stream)
		fmt.Println("reset:", err)
	case 'I': // pings the other end
		_, err := session.Ping()
		fmt.Fprint(stream, err == nil)
		stream.Close()
	case 'O': // u32 count: opens that many streams and expects an echo on each
		openMany(session, stream)
	case 'G':
		must(session.GoAway())
		io.WriteString(stream, "gone")
		stream.Close()
	}
}

func number(stream *yamux.Stream) int {
	raw := make([]byte, 4)
	_, err := io.ReadFull(stream, raw)
	must(err)
	return int(binary.BigEndian.Uint32(raw))
}

func pattern(length int, seed byte) []byte {
	out := make([]byte, length)
	for i := range out {
		out[i] = byte(i*31+i>>8) ^ seed
	}
	return out
}

func produce(stream *yamux.Stream) {
	bytes := pattern(number(stream), 7)
	sum := sha256.Sum256(bytes)
	for at := 0; at < len(bytes); at += 300000 {
		end := at + 300000
		if end > len(bytes) {
			end = len(bytes)
		}
		_, err := stream.Write(bytes[at:end])
		must(err)
	}
	io.WriteString(stream, hex.EncodeToString(sum[:]))
	stream.Close()
}

func openMany(session *yamux.Session, control *yamux.Stream) {
	count := number(control)
	results := make(chan error, count)
	for i := 0; i < count; i++ {
		go func(seed byte) { results <- echoes(session, seed) }(byte(i))
	}
	failed := 0
	for i := 0; i < count; i++ {
		if err := <-results; err != nil {
			fmt.Println("echo:", err)
			failed++
		}
	}
	fmt.Fprint(control, failed)
	control.Close()
}

func echoes(session *yamux.Session, seed byte) error {
	stream, err := session.OpenStream()
	if err != nil {
		return err
	}
	defer stream.Close()
	bytes := pattern(20000, seed)
	go stream.Write(bytes)
	back := make([]byte, len(bytes))
	if _, err := io.ReadFull(stream, back); err != nil {
		return err
	}
	if string(back) != string(bytes) {
		return fmt.Errorf("stream %d came back changed", seed)
	}
	return nil
}
