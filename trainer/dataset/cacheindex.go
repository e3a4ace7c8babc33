package dataset

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
)

// A cache file is cacheMagic, the pixels of the pictures, the index as JSON, and a trailer
// of fixed size: where the index begins, how long it is (8 bytes each, little endian), its
// SHA-256, and cacheMagic once more. The end is written last, so a file that was cut
// short has none.
const (
	cacheMagic  = "perceive pixels1"
	trailerSize = 8 + 8 + sha256.Size + int64(len(cacheMagic))
)

type cacheIndex struct {
	What     string          `json:"what"`
	Pictures []cachedPicture `json:"pictures"`
}

// cachedPicture is a picture's place in the file, or why it has none.
type cachedPicture struct {
	stamp
	W       int     `json:"w,omitempty"`
	H       int     `json:"h,omitempty"`
	FileW   int     `json:"file_w,omitempty"`
	FileH   int     `json:"file_h,omitempty"`
	Scale   float64 `json:"scale,omitempty"`
	At      int64   `json:"at,omitempty"`
	Sum     uint32  `json:"crc32c,omitempty"`
	Bad     string  `json:"bad,omitempty"`
	Missing bool    `json:"missing,omitempty"`
}

// marshal is the end of a file whose pixels end at end.
func (x *cacheIndex) marshal(end int64) ([]byte, error) {
	text, err := json.Marshal(x)
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(text)
	size := len(text)
	text = binary.LittleEndian.AppendUint64(text, uint64(end))
	text = binary.LittleEndian.AppendUint64(text, uint64(size))
	text = append(text, sum[:]...)
	return append(text, cacheMagic...), nil
}

// parseIndex reads the index of a whole file. Every picture that it returns lies within
// the file's pixels.
func parseIndex(file []byte) (*cacheIndex, error) {
	if !bytes.HasPrefix(file, []byte(cacheMagic)) {
		return nil, errors.New("the cache file is of another format")
	}
	if int64(len(file)) < int64(len(cacheMagic))+trailerSize || !bytes.HasSuffix(file, []byte(cacheMagic)) {
		return nil, fmt.Errorf("the cache file is cut short: %d bytes", len(file))
	}
	tail := file[int64(len(file))-trailerSize:]
	end, size := binary.LittleEndian.Uint64(tail), binary.LittleEndian.Uint64(tail[8:])
	room := uint64(int64(len(file)) - trailerSize)
	if end < uint64(len(cacheMagic)) || end > room || size != room-end {
		return nil, fmt.Errorf("the cache file is damaged: an index of %d bytes at %d", size, end)
	}
	text := file[end : end+size]
	if sum := sha256.Sum256(text); !bytes.Equal(sum[:], tail[16:][:sha256.Size]) {
		return nil, errors.New("the cache file's index is damaged")
	}
	var x cacheIndex
	if err := json.Unmarshal(text, &x); err != nil {
		return nil, fmt.Errorf("the cache file's index is damaged: %w", err)
	}
	for i, p := range x.Pictures {
		if p.Bad != "" {
			continue
		}
		const most = 1 << 20
		if p.W < 1 || p.H < 1 || p.W > most || p.H > most || p.At < int64(len(cacheMagic)) || p.At > int64(end) || 3*int64(p.W)*int64(p.H) > int64(end)-p.At || !(p.Scale >= 0 && p.Scale <= 1) {
			return nil, fmt.Errorf("the cache file's index is damaged: picture %d is %d×%d at %d", i, p.W, p.H, p.At)
		}
	}
	return &x, nil
}
