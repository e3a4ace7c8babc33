package publish

import _ "embed"

// ResultSchema is the JSON Schema of a result's line.
//
//go:embed schema.json
var ResultSchema []byte

// imageSchema is the part of foxglove.CompressedImage's public JSON Schema that is filled in.
const imageSchema = `{"title":"foxglove.CompressedImage","description":"A compressed image","type":"object","properties":{` +
	`"timestamp":{"type":"object","title":"time","properties":{"sec":{"type":"integer","minimum":0},"nsec":{"type":"integer","minimum":0,"maximum":999999999}}},` +
	`"frame_id":{"type":"string"},"data":{"type":"string","contentEncoding":"base64"},"format":{"type":"string"}}}`

// openSchema is of headers and events, whose keys docs/formats.md has.
const openSchema = `{"type":"object"}`
