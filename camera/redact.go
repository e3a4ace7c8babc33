package camera

import "regexp"

// userinfo is NAME:PASSWORD in front of a host. A password goes on to the last @ of the host's
// part, because people do not escape theirs.
var userinfo = regexp.MustCompile(`(://[^/?#:@\s"']*:)[^/?#\s"']*@`)

// secret is a parameter of a query, or a property of a GStreamer element, that is told to nobody.
var secret = regexp.MustCompile(`(?i)\b((?:user-pw|proxy-pw|passwd|password|passphrase|pass|pwd|pw|token|access_token|auth|authorization|secret|signature|sig|apikey|api[_-]key|key)\s*=\s*)("[^"]*"|'[^']*'|[^&;\s!"']+)`)

// hidden stands for what Redact takes out, as net/url has it.
const hidden = "xxxxx"

// Redact is a text that holds URIs without the passwords and keys in them: for logs, headers and
// errors. It takes out the password of NAME:PASSWORD@HOST, and the values of parameters and GStreamer
// properties that are named as secrets are (token=, password=, user-pw=, key= and the like).
func Redact(text string) string {
	text = userinfo.ReplaceAllString(text, "${1}"+hidden+"@")
	return secret.ReplaceAllString(text, "${1}"+hidden)
}
