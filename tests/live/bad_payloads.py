"""What robots send by mistake or malice: payloads by what is wrong with them, topics and names."""

import json

CR_LF_ATTACK = '\r\n\r\ndata: {"type":"reset"}\r\n\r\n'

REFUSED_PAYLOADS = {
    "no bytes": (b"", "empty"),
    "spaces only": (b" \r\n ", "empty"),
    "not JSON": (b"battery low", "json"),
    "cut off": (b'{"headerId": 1', "json"),
    "something after the object": (b'{"headerId":1} {"headerId":2}', "json"),
    "a line that ends the event": (b'{"headerId":1}\n\ndata: {"type":"reset"}', "json"),
    "NaN": (b'{"x": NaN}', "nan"),
    "Infinity": (b'{"x": -Infinity}', "nan"),
    "null at the top": (b"null", "not_object"),
    "a list at the top": (b"[1]", "not_object"),
    "a string at the top": (b'"state"', "not_object"),
    "not UTF-8": (b'{"x": "\xff\xfe"}', "encoding"),
    "UTF-16": ('{"x": 1}'.encode("utf-16"), "encoding"),
    "raw LF in a string": (b'{"x": "a\nb"}', "control_character"),
    "raw CR LF in a string": (b'{"x": "a\r\n\r\ndata: b"}', "control_character"),
    "raw NUL in a string": (b'{"x": "\x00"}', "control_character"),
    "NUL after the object": (b'{"x": 1}\x00', "json"),
    "half a surrogate pair": (b'{"x": "\\ud800"}', "json"),
    "1,000 levels": (b'{"x":' + b"[" * 1_000 + b"]" * 1_000 + b"}", "depth"),
    "100,000 levels": (b'{"x":' + b"[" * 100_000 + b"]" * 100_000 + b"}", "depth"),
    "100,000 levels left open": (b"[" * 100_000, "depth"),
    "NaN before 100,000 levels": (b'{"n":NaN,"x":' + b"[" * 100_000 + b"]" * 100_000 + b"}", "nan"),
    "5 MB": (b'{"x":"' + b"a" * 5_000_000 + b'"}', "size"),
}
ODD_PAYLOADS = {
    "null members": (b'{"headerId":null,"batteryState":null}', "null"),
    "a duplicate key": (b'{"headerId":1,"headerId":2}', "duplicate_key"),
    "LF between tokens": (b'{\n "headerId":\n\n 1\n}\n', "line_break"),
    "CR LF between tokens": (b'{\r\n "headerId":\r\n\r\n 1}\r\n', "line_break"),
    "CR between tokens": (b'{\r\r"headerId":\r1}', "line_break"),
}
WELL_FORMED_PAYLOADS = {
    "CR and LF escaped in a string": json.dumps({"x": f"a{CR_LF_ATTACK}b\0"}),
    "line separators of Unicode": json.dumps({"x": "a\u2028b\u2029c\x85d\x0be\x1cf"}, ensure_ascii=False),
    "wrong types and unknown members": '{"headerId":"seven","driving":{"a":[]},"nodeStates":42,"whatIsThis":1.5e300}',
    "an empty object": "{}",
    "254 levels": '{"x":' * 253 + "{}" + "}" * 253,
    "numbers beyond 64 bits": '{"headerId":123456789012345678901234567890}',
}
TOPICS_THAT_DO_NOT_FIT = ["uagv", "uagv/v2/ACME/R1/temperature", "uagv/v2/ACME/state", "uagv/v2//R1/state",
                          f"uagv/v2/ACME/{'R' * 201}/state", "uagv/v2/ACME/R1/state/"]  # fmt: skip
STRANGE_NAMES = ["<script>alert(1)", "A%2FB", "\"quoted'", "a b", "Förderzeug-ロボット", "comma,semi;colon:", "*", "-",
                 "null", "%", "\\", "?x=1&y", "R" * 200]  # fmt: skip
