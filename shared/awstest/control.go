package awstest

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
)

// controlPath is where other processes ask the loopback listener for what a
// test in this process has methods for.
const controlPath = "/_awstest/"

// control answers GET code?serial=… by an MFA code (409 if both codes that
// could be had are used), and GET calls by the log as JSON lines.
func (a *AWS) control(w http.ResponseWriter, r *http.Request) {
	switch r.Method + " " + r.URL.Path[len(controlPath):] {
	case "GET code":
		code, err := a.Code(r.URL.Query().Get("serial"))
		switch {
		case errors.Is(err, errCodesUsed):
			http.Error(w, err.Error(), http.StatusConflict)
		case err != nil:
			http.Error(w, err.Error(), http.StatusNotFound)
		default:
			fmt.Fprintln(w, code)
		}
	case "GET calls":
		w.Header().Set("Content-Type", "application/jsonl")
		out := json.NewEncoder(w)
		for _, c := range a.Calls() {
			out.Encode(c)
		}
	default:
		http.NotFound(w, r)
	}
}
