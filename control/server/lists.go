package server

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"net/http"
	"reflect"

	"messngr"
	"messngr/store"
)

// listOp makes an operation that answers with a list which may be longer than what is
// to be in memory at once: method returns the answer with an empty list, and what is to
// be in that.
func listOp[In, Out, Item any](
	pattern string, method func(context.Context, messngr.Principal, In) (Out, iter.Seq2[Item, error], error),
) route {
	rt := route{
		pattern: pattern, status: http.StatusOK, method: method,
		in: reflect.TypeFor[In](), out: []reflect.Type{reflect.TypeFor[Out]()},
	}
	rt.serve = func(w http.ResponseWriter, r *http.Request, who messngr.Principal) (any, error) {
		var in In
		if err := read(r, &in); err != nil {
			return nil, err
		}
		frame, items, err := method(r.Context(), who, in)
		if err != nil {
			return nil, err
		}
		return streamed{}, writeList(w, frame, items)
	}
	return rt
}

// writeList writes the answer with its items as they are read. An error is returned if
// nothing has been written; later it breaks the connection off, so that nobody takes the
// beginning for the whole.
func writeList[Item any](w http.ResponseWriter, frame any, items iter.Seq2[Item, error]) error {
	whole, err := json.Marshal(frame)
	if err != nil {
		return err
	}
	head, tail, ok := bytes.Cut(whole, []byte("[]"))
	if !ok {
		return fmt.Errorf("no empty list in %s", whole)
	}
	begun := false
	next := append(head, '[')
	for item, err := range items {
		var encoded []byte
		if err == nil {
			encoded, err = json.Marshal(item)
		}
		if err != nil && !begun {
			return err
		}
		if err != nil {
			panic(http.ErrAbortHandler)
		}
		if !begun {
			begun = true
			answerJSON(w, http.StatusOK)
		}
		_, _ = w.Write(append(next, encoded...)) // the asker is gone: nobody to tell
		next = []byte{','}
	}
	end := append([]byte("]"), tail...)
	if !begun {
		answerJSON(w, http.StatusOK)
		end = append(next, end...)
	}
	_, _ = w.Write(append(end, '\n'))
	return nil
}

// pageSize is how many messages are read from the store at once: with the longest texts
// that are 25 MB.
const pageSize = 100

// pages reads what a query selects, page by page.
func pages[T any](q store.Query, read func(store.Query) ([]T, error), seq func(*T) int64) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for left := q.Max(); left > 0; {
			q.Limit = min(left, pageSize)
			page, err := read(q)
			if err != nil {
				var none T
				yield(none, err)
				return
			}
			for i := range page {
				if !yield(page[i], nil) {
					return
				}
			}
			if len(page) < q.Limit {
				return
			}
			left -= len(page)
			if last := seq(&page[len(page)-1]); q.Oldest {
				q.After = last
			} else {
				q.Before = last
			}
		}
	}
}

// converted is a sequence of what convert makes of the values of another.
func converted[From, To any](values iter.Seq2[From, error], convert func(From) To) iter.Seq2[To, error] {
	return func(yield func(To, error) bool) {
		for v, err := range values {
			var out To
			if err == nil {
				out = convert(v)
			}
			if !yield(out, err) {
				return
			}
		}
	}
}
