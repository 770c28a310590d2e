// tlogcheck JOURNAL: reads a journal with the tile log code of the Go project, which knows nothing
// of Versement. It checks the signature of the checkpoint, every tile against its root hash, and for
// every entry that the log proves its inclusion; then that each earlier tree is a prefix.
package main

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

const height = 8 // tiles of 256 hashes

func fail(format string, args ...any) {
	fmt.Fprintf(os.Stderr, "tlogcheck: "+format+"\n", args...)
	os.Exit(1)
}

func index(n int64) string {
	text := fmt.Sprintf("%03d", n%1000)
	for n /= 1000; n > 0; n /= 1000 {
		text = fmt.Sprintf("x%03d/%s", n%1000, text)
	}
	return text
}

type reader struct{ folder string }

func (r reader) Height() int { return height }

func (r reader) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	var all [][]byte
	for _, tile := range tiles {
		path := filepath.Join(r.folder, "tile", strconv.Itoa(tile.L), index(tile.N))
		if tile.W != 1<<height {
			path += ".p/" + strconv.Itoa(tile.W)
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		all = append(all, data)
	}
	return all, nil
}

func (r reader) SaveTiles([]tlog.Tile, [][]byte) {}

func entries(folder string, size int64) [][]byte {
	var all [][]byte
	for start := int64(0); start < size; start += 256 {
		path := filepath.Join(folder, "tile", "entries", index(start/256))
		if size-start < 256 {
			path += ".p/" + strconv.FormatInt(size-start, 10)
		}
		data, err := os.ReadFile(path)
		if err != nil {
			fail("%v", err)
		}
		for len(data) > 0 {
			length := int(binary.BigEndian.Uint16(data))
			all = append(all, data[2:2+length])
			data = data[2+length:]
		}
	}
	return all
}

func main() {
	folder := os.Args[1]
	key, err := os.ReadFile(filepath.Join(folder, "vkey"))
	if err != nil {
		fail("%v", err)
	}
	verifier, err := note.NewVerifier(strings.TrimSpace(string(key)))
	if err != nil {
		fail("key: %v", err)
	}
	signed, err := os.ReadFile(filepath.Join(folder, "checkpoint"))
	if err != nil {
		fail("%v", err)
	}
	opened, err := note.Open(signed, note.VerifierList(verifier))
	if err != nil {
		fail("checkpoint: %v", err)
	}
	lines := strings.Split(opened.Text, "\n")
	size, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil {
		fail("size: %v", err)
	}
	root, err := base64.StdEncoding.DecodeString(lines[2])
	if err != nil || len(root) != sha256.Size {
		fail("root: %v", err)
	}
	tree := tlog.Tree{N: size}
	copy(tree.Hash[:], root)
	hashes := tlog.TileHashReader(tree, reader{folder})
	all := entries(folder, size)
	if int64(len(all)) != size {
		fail("%d entries, but the checkpoint covers %d", len(all), size)
	}
	for i, entry := range all {
		proof, err := tlog.ProveRecord(size, int64(i), hashes)
		if err != nil {
			fail("entry %d: %v", i, err)
		}
		if err := tlog.CheckRecord(proof, size, tree.Hash, int64(i), tlog.RecordHash(entry)); err != nil {
			fail("entry %d: %v", i, err)
		}
	}
	for older := int64(1); older < size; older += 1 + older/3 {
		hash, err := tlog.TreeHash(older, hashes)
		if err != nil {
			fail("tree %d: %v", older, err)
		}
		proof, err := tlog.ProveTree(size, older, hashes)
		if err != nil {
			fail("tree %d: %v", older, err)
		}
		if err := tlog.CheckTree(proof, size, tree.Hash, older, hash); err != nil {
			fail("tree %d: %v", older, err)
		}
	}
	fmt.Printf("%s: %d entries proven\n", lines[0], size)
}
