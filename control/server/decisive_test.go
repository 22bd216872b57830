package server

import (
	"testing"
	"time"

	"messngr"
	"messngr/store"
)

func TestDecisive(t *testing.T) {
	type try struct {
		via   string
		state messngr.State
	}
	for name, tc := range map[string]struct {
		tries []try
		want  int
	}{
		"the only one":                    {[]try{{"smb", messngr.Accepted}}, 0},
		"success after a failure":         {[]try{{"smb", messngr.Queued}, {"rpc", messngr.Accepted}}, 1},
		"all routes failed: the best":     {[]try{{"smb", messngr.Queued}, {"rpc", messngr.Failed}}, 0},
		"the same again: its last":        {[]try{{"smb", messngr.Queued}, {"rpc", messngr.Queued}, {"smb", messngr.Queued}, {"rpc", messngr.Failed}}, 2},
		"uncertain outweighs what failed": {[]try{{"smb", messngr.Queued}, {"rpc", messngr.Unknown}}, 1},
		"its time has passed":             {[]try{{"smb", messngr.Queued}, {"", messngr.Expired}}, 1},
		"the service ended":               {[]try{{"smb", messngr.Queued}, {"", messngr.Failed}}, 1},
	} {
		to := store.Recipient{}
		for _, tr := range tc.tries {
			to.Attempts = append(to.Attempts, store.Attempt{
				Via: tr.via, Ended: time.Unix(1, 0), Evidence: messngr.Evidence{State: tr.state},
			})
		}
		if got := decisive(&to); got != &to.Attempts[tc.want] {
			t.Errorf("%s: got the attempt %+v, want number %d", name, got, tc.want)
		}
	}
	if got := decisive(&store.Recipient{}); got != nil {
		t.Errorf("got %+v for a recipient without attempts", got)
	}
}
