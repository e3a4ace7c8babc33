package rtsp

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net/url"
	"strconv"
	"strings"
)

// Limits of what a client may say.
const (
	maxLine    = 4096
	maxHeaders = 64
	maxBody    = 64 << 10
)

// track is the name of the one stream in its description.
const track = "track0"

// sdp describes the stream: the parameter sets come with every key frame.
var sdp = fmt.Sprintf("v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=perceive bench\r\nc=IN IP4 0.0.0.0\r\nt=0 0\r\na=control:*\r\n"+
	"m=video 0 RTP/AVP %d\r\na=rtpmap:%d H264/90000\r\na=fmtp:%d packetization-mode=1\r\na=control:%s\r\n", PayloadType, PayloadType, PayloadType, track)

// errMalformed: what came is no request.
var errMalformed = errors.New("rtsp: malformed request")

// request is one message of a client. The keys of header are in lower case.
type request struct {
	method, url, path, version string
	header                     map[string]string
}

// readRequest reads the next request, and passes over the packets (reports of reception) before it.
func readRequest(in *bufio.Reader) (q request, err error) {
	for {
		first, err := in.Peek(1)
		if err != nil {
			return q, err
		}
		if first[0] != '$' {
			break
		}
		var head [4]byte
		if _, err := io.ReadFull(in, head[:]); err != nil {
			return q, err
		}
		if _, err := in.Discard(int(binary.BigEndian.Uint16(head[2:]))); err != nil {
			return q, err
		}
	}
	line, err := readLine(in)
	if err != nil {
		return q, err
	}
	words := strings.Fields(line)
	if len(words) != 3 || !strings.HasPrefix(words[2], "RTSP/") {
		return q, errMalformed
	}
	q.method, q.url, q.version = words[0], words[1], words[2]
	u, err := url.Parse(q.url)
	if err != nil {
		return q, errMalformed
	}
	q.path = u.Path
	if q.header, err = readHeader(in); err != nil {
		return q, err
	}
	if text, given := q.header["content-length"]; given {
		n, err := strconv.ParseUint(text, 10, 32)
		if err != nil || n > maxBody {
			return q, errMalformed
		}
		if _, err := in.Discard(int(n)); err != nil {
			return q, err
		}
	}
	return q, nil
}

func readHeader(in *bufio.Reader) (map[string]string, error) {
	header := map[string]string{}
	for range maxHeaders + 1 {
		line, err := readLine(in)
		if err != nil {
			return nil, err
		}
		if line == "" {
			return header, nil
		}
		key, value, ok := strings.Cut(line, ":")
		if !ok {
			return nil, errMalformed
		}
		header[strings.ToLower(strings.TrimSpace(key))] = strings.TrimSpace(value)
	}
	return nil, errMalformed
}

// readLine is a line without its end; it is malformed if it is longer than in's buffer.
func readLine(in *bufio.Reader) (string, error) {
	line, err := in.ReadSlice('\n')
	if errors.Is(err, bufio.ErrBufferFull) {
		return "", errMalformed
	}
	if err != nil {
		return "", err
	}
	return strings.TrimRight(string(line), "\r\n"), nil
}

// The statuses of RFC 2326 section 7.1.1 that are used.
const (
	ok             = "200 OK"
	badRequest     = "400 Bad Request"
	notFound       = "404 Not Found"
	noSession      = "454 Session Not Found"
	notYet         = "455 Method Not Valid in This State"
	noTransport    = "461 Unsupported Transport"
	notImplemented = "501 Not Implemented"
	badVersion     = "505 RTSP Version Not Supported"
)

// reply is an answer to a request.
type reply struct {
	status string
	cseq   string
	header []string
	body   string
}

func (a reply) text() []byte {
	var b strings.Builder
	fmt.Fprintf(&b, "RTSP/1.0 %s\r\n", a.status)
	if a.cseq != "" {
		fmt.Fprintf(&b, "CSeq: %s\r\n", a.cseq)
	}
	for _, line := range a.header {
		b.WriteString(line + "\r\n")
	}
	if a.body != "" {
		fmt.Fprintf(&b, "Content-Length: %d\r\n", len(a.body))
	}
	b.WriteString("\r\n" + a.body)
	return []byte(b.String())
}
