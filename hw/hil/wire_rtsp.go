package hil

import (
	"context"
	"fmt"
	"net"
	"sync"

	"perceive/hw/hil/rtsp"
)

// rtspWire is an encoder whose RTP packets come to ports of the bench, which relays them to the
// clients of its RTSP server.
type rtspWire struct {
	*encoder
	server *rtsp.Server
	addr   string
	path   string
	rtp    [2]net.PacketConn // RTP and its reports, RTCP

	mu   sync.Mutex
	door net.Listener
}

func openRTSP(c Camera, width, height int) (_ wire, err error) {
	if err := evenSize(width, height); err != nil {
		return nil, err
	}
	w := &rtspWire{path: "/" + c.Name}
	w.server = rtsp.New(w.path)
	defer func() {
		if err != nil {
			w.Close()
		}
	}()
	if w.door, err = c.listen(); err != nil {
		return nil, err
	}
	w.addr = w.door.Addr().String()
	var ports [2]int
	for i, send := range []func([]byte){w.server.SendRTP, w.server.SendRTCP} {
		p, err := net.ListenPacket("udp", "127.0.0.1:0")
		if err != nil {
			return nil, err
		}
		p.(*net.UDPConn).SetReadBuffer(4 << 20) // a key frame comes at once
		w.rtp[i], ports[i] = p, p.LocalAddr().(*net.UDPAddr).Port
		go relay(p, send)
	}
	if w.encoder, err = startEncoder(rtpArgs(ports[0], ports[1])...); err != nil {
		return nil, err
	}
	go w.server.Serve(w.door)
	return w, nil
}

// rtpArgs send RTP packets that fit into an Ethernet frame, and reports, to two ports.
func rtpArgs(rtp, rtcp int) []string {
	return append(append([]string(nil), ffmpegH264...), "-flush_packets", "1", "-payload_type", fmt.Sprint(rtsp.PayloadType), "-f", "rtp",
		fmt.Sprintf("rtp://127.0.0.1:%d?rtcpport=%d&pkt_size=1400", rtp, rtcp))
}

// relay passes packets on until its port is closed.
func relay(from net.PacketConn, to func([]byte)) {
	buf := make([]byte, 1<<16)
	for {
		n, _, err := from.ReadFrom(buf)
		if err != nil {
			return
		}
		to(buf[:n])
	}
}

func (w *rtspWire) url() string { return "rtsp://" + w.addr + w.path }

func (w *rtspWire) reaches() bool { return w.server.Playing() > 0 }

func (w *rtspWire) cut(on bool) { w.server.Cut(on) }

func (w *rtspWire) refuse(ctx context.Context, on bool) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if on {
		err := w.door.Close()
		w.server.HangUp()
		return err
	}
	l, err := reopen(ctx, w.addr)
	if l == nil {
		return err
	}
	w.door = l
	go w.server.Serve(l)
	return nil
}

// Close implements wire.
func (w *rtspWire) Close() error {
	w.mu.Lock()
	if w.door != nil {
		w.door.Close()
	}
	w.mu.Unlock()
	w.server.HangUp()
	for _, p := range w.rtp {
		if p != nil {
			p.Close()
		}
	}
	if w.encoder != nil {
		w.encoder.Close()
	}
	return nil
}
