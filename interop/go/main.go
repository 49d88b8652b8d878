// Azure/go-ntlmssp behind net/http: NTLM's own tokens, under whichever scheme the server offers first.
package main

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"

	"github.com/Azure/go-ntlmssp"
)

func main() {
	times, _ := strconv.Atoi(os.Getenv("PEER_TIMES"))
	name := os.Getenv("PEER_USER")
	if domain := os.Getenv("PEER_DOMAIN"); domain != "" {
		name = domain + "\\" + name
	}
	client := &http.Client{Transport: ntlmssp.Negotiator{RoundTripper: &http.Transport{Proxy: nil}}}
	for range make([]struct{}, times) {
		method, body := "GET", io.Reader(nil)
		if text, set := os.LookupEnv("PEER_BODY"); set {
			method, body = "POST", strings.NewReader(text)
		}
		request, err := http.NewRequest(method, os.Getenv("PEER_URL"), body)
		check(err)
		request.Header.Set("Accept", "application/json")
		request.SetBasicAuth(name, os.Getenv("PEER_PASSWORD"))
		answer, err := client.Do(request)
		check(err)
		text, err := io.ReadAll(answer.Body)
		check(err)
		answer.Body.Close()
		fmt.Println(answer.StatusCode, strings.Join(strings.Fields(string(text)), " "))
	}
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
