package mcap

import "hash/crc32"

// Close writes what is pending, the summary and the footer. It does not close the output.
func (m *Writer) Close() error {
	if err := m.Flush(); err != nil {
		return err
	}
	b, at := begin(m.out[:0], opDataEnd)
	b = end(le.AppendUint32(b, m.crc), at)
	from := len(b) // of the summary
	var offsets []byte
	group := func(op byte, start int) {
		if len(b) == start {
			return
		}
		var at int
		offsets, at = begin(offsets, opSummaryOffset)
		offsets = le.AppendUint64(append(offsets, op), uint64(m.size)+uint64(start))
		offsets = end(le.AppendUint64(offsets, uint64(len(b)-start)), at)
	}
	start := len(b)
	for i := range m.schemas {
		b = appendSchema(b, uint16(i+1), &m.schemas[i])
	}
	group(opSchema, start)
	start = len(b)
	for n := range m.channels {
		b = appendChannel(b, uint16(n), &m.channels[n])
	}
	group(opChannel, start)
	start = len(b)
	b = m.appendStatistics(b)
	group(opStatistics, start)
	start = len(b)
	b = append(b, m.chunks...)
	group(opChunkIndex, start)
	start = len(b)
	b = append(b, offsets...)
	b, at = begin(b, opFooter)
	b = le.AppendUint64(b, uint64(m.size)+uint64(from))
	b = le.AppendUint64(b, uint64(m.size)+uint64(start))
	le.PutUint64(b[at-8:], 8+8+4) // now: the length is under the checksum, too
	b = end(le.AppendUint32(b, crc32.ChecksumIEEE(b[from:])), at)
	return m.write(append(b, Magic...))
}

func (m *Writer) appendStatistics(b []byte) []byte {
	b, at := begin(b, opStatistics)
	b = le.AppendUint64(b, m.messages)
	b = le.AppendUint16(b, uint16(len(m.schemas)))
	b = le.AppendUint32(b, uint32(len(m.channels)))
	b = le.AppendUint32(b, 0) // attachments
	b = le.AppendUint32(b, 0) // metadata
	b = le.AppendUint32(b, m.nChunks)
	b = le.AppendUint64(b, m.first)
	b = le.AppendUint64(b, m.last)
	var counts []byte
	for n := range m.channels {
		counts = le.AppendUint64(le.AppendUint16(counts, uint16(n)), m.channels[n].count)
	}
	return end(appendString(b, counts), at)
}

func appendSchema(b []byte, id uint16, s *Schema) []byte {
	b, at := begin(b, opSchema)
	b = le.AppendUint16(b, id)
	b = appendString(appendString(b, s.Name), s.Encoding)
	return end(appendString(b, s.Data), at)
}

func appendChannel(b []byte, id uint16, c *channel) []byte {
	b, at := begin(b, opChannel)
	b = le.AppendUint16(le.AppendUint16(b, id), c.schema)
	b = appendString(appendString(b, c.Topic), c.Encoding)
	return end(le.AppendUint32(b, 0), at) // no metadata
}
