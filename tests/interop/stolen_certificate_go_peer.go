// A thief: TLS with somebody else's certificate and a key of its own, which Go lets a client try, for
// stolen_certificate_go_test.ts. Prints what the server says to an upgrade at /relay, then what ended the connection.
//
// Usage: thief ADDRESS CERTIFICATE.PEM [KEY.PEM]
package main

import (
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"log"
	"os"
)

func must(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

func block(path string) []byte {
	raw, err := os.ReadFile(path)
	must(err)
	first, _ := pem.Decode(raw)
	return first.Bytes
}

func main() {
	_, generated, err := ed25519.GenerateKey(rand.Reader)
	must(err)
	var key crypto.PrivateKey = generated
	if len(os.Args) > 3 {
		key, err = x509.ParsePKCS8PrivateKey(block(os.Args[3]))
		must(err)
	}
	conn, err := tls.Dial("tcp", os.Args[1], &tls.Config{
		InsecureSkipVerify: true,
		MinVersion:         tls.VersionTLS13,
		Certificates:       []tls.Certificate{{Certificate: [][]byte{block(os.Args[2])}, PrivateKey: key}},
	})
	if err != nil {
		fmt.Println("no connection:", err)
		return
	}
	fmt.Fprint(conn, "GET /relay HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"+
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n")
	answer := make([]byte, 12)
	n, err := conn.Read(answer)
	fmt.Printf("answer: %q, then: %v\n", answer[:n], err)
	conn.Close()
}
