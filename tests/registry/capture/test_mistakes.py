"""Mistakes that people make in descriptions: each is told by file, line, key and what was expected, and nothing else.

Every case is a shipped description with one mistake in it; nobody who reads the message has to know the schema.
"""

import json
from importlib import resources

import pytest

from registry.capture.description import load
from registry.capture.errors import BadDescription

IMAGES, SPEED, EDITS = "openai-images", "wavespeed-predictions", "openai-image-edits"
RESPONSES, IMAGEN, LISTEN = "openai-responses", "google-imagen", "deepgram-listen"

# description, what stands there, what is written instead, line, key, the beginning of what was expected
MISTAKES = [
    (IMAGES, 'hosts = ["api.openai.com"]', 'hosts = "api.openai.com"',
     6, "hosts", 'a list ([...] or [[name]]), not "api.openai.com"'),
    (IMAGES, 'models = ["gpt-', 'models = "gpt-image-*" # ["gpt-',
     8, "models", 'a list ([...] or [[name]]), not "gpt-image-*"'),
    (IMAGES, 'operation = "image.generate"', 'operation = ["image.generate"]',
     7, "operation", "text in quotes or a table ({...} or [name]), not"),
    (IMAGES, "seed = false", 'seed = "no"',
     11, "caps.seed", 'true or false, not "no"'),
    (IMAGES, "template = { body = {} }", 'template = { body = "" }',
     17, "template.body", 'a table ({...} or [name]), not ""'),
    (IMAGES, '{ header = "Authorization", value = "Bearer {secret}", secret = "OPENAI_API_KEY" }', '"OPENAI_API_KEY"',
     9, "auth", "a table ({...} or [name])"),
    (IMAGES, 'part = "image_generation.partial_image"', "part = 3",
     50, "events.part", "text in quotes, not 3"),
    (IMAGES, 'size = "body.size"', "size = 1024",
     39, "submit.slots.size", "text in quotes or a table ({...} or [name]), not 1024"),
    (IMAGES, 'n = { at = "body.n", type = "integer" }', 'n = { at = "body.n" }',
     38, "submit.slots.n", "the key 'type', missing here"),
    (IMAGES, "run_ms = 'headers.\"openai-processing-ms\"'", "run_ms = 12",
     57, "facts.run_ms", "text in quotes or a table ({...} or [name]), not 12"),
    (IMAGES, "retention_days = 30", 'retention_days = "30 days"',
     29, "data.retention_days", 'a whole number, not "30 days"'),
    (IMAGES, "errors = [\n", 'errors = { when = "x", class = "failed" }\nfacts_ = [\n',
     22, "errors", 'a list ([...] or [[name]]), not {"class": "failed", "when": "x"}'),
    (IMAGES, "redact =", "redcat =",
     16, "redcat", "no such key; did you mean 'redact'"),
    (IMAGES, "redact =", "favourite =",
     16, "favourite", "no such key; known here: auth, base_url, cancel, caps,"),
    (IMAGES, 'count = "n"', 'cuont = "n"',
     33, "submit.cuont", "no such key; did you mean 'count'"),
    (IMAGES, 'safety = "refused" }', 'saftey = "refused" }',
     23, "errors.0.saftey", "no such key; did you mean 'safety'"),
    (IMAGES, 'provider = "openai"\n', "",
     1, "", "the key 'provider', missing here"),
    (IMAGES, 'match = "POST /v1/images/generations"\n', "",
     31, "submit", "the key 'match', missing here"),
    (IMAGES, 'model = "body.model"\n', "",
     35, "submit.slots", "the key 'model', missing here"),
    (IMAGES, 'hosts = ["api.openai.com"]\n', "",
     1, "", "the key 'hosts', missing here"),
    (SPEED, 'output = { kind = "url", expr = "body.data.outputs" }\n', "",
     1, "", "the key 'output', missing here"),
    (SPEED, 'path = "/api/v3/predictions/{job}/result"\n', "",
     70, "poll", "one of the keys 'path' and 'url', and one alone"),
    (IMAGES, ', secret = "OPENAI_API_KEY" }', " }",
     9, "auth", "the key 'secret', missing here"),
    (SPEED, ', put = "body.data.upload.url"', "",
     17, "upload", "the key 'put', missing here"),
    (SPEED, 'secret = "WAVESPEED_WEBHOOK_SECRET", ', "",
     19, "webhook", "the key 'secret', missing here"),
    (IMAGES, "'[a-z0-9.-]+-20[0-9]{2}-[0-9]{2}-[0-9]{2}'", "'[a-z0-9.-+-20'",
     10, "pin.0.pattern", "a regular expression: bad character range .-+"),
    (IMAGES, 'expr = "body.data[].b64_json"', 'expr = "body.data[.b64_json"',
     18, "output.expr", "a JMESPath expression, not 'body.data[.b64_json': Expecting:"),
    (IMAGES, '"status == `429`"', '"status = 429"',
     26, "errors.3.when", "a JMESPath expression, not 'status = 429': Bad jmespath"),
    (IMAGES, '"body.data[0].revised_prompt"', '{ expr = "body.data", regex = "(" }',
     56, "facts.effective_prompt", "a regular expression: missing ), unterminated subpattern"),
    (IMAGES, 'effective_prompt = "body.data[0].revised_prompt"', 'effective_prompt = ""',
     56, "facts.effective_prompt", 'text of 1 or more characters, not ""'),
    (IMAGES, "ains(['moderation_blocked', 'content_policy_violation'], ", "ians(['moderation_blocked'], ",
     23, "errors.0.when", "a function that JMESPath has, not 'contians'; did you mean"),
    (IMAGES, 'images = "length(body.data)"', 'images = "length(body.data"',
     59, "facts.units.images", "a JMESPath expression, not 'length(body.data': Invalid jmespath"),
    (IMAGES, '"status == `429`"', '"contains(body.error)"',
     26, "errors.3.when", "2 arguments of contains(), not 1"),
    (IMAGES, 'base_url = "https://api.openai.com"', 'base_url = "api.openai.com"',
     5, "base_url", "an address, such as https://api.example.com or"),
    (IMAGES, 'base_url = "https://api.openai.com"', 'base_url = "ftp://api.openai.com"',
     5, "base_url", "an address, such as https://api.example.com or"),
    (IMAGES, 'base_url = "https://api.openai.com"', 'base_url = "http://api.openai.com"',
     5, "base_url", "https://; http:// is for this machine and for numbers of"),
    (IMAGES, 'base_url = "https://api.openai.com"', 'base_url = "https://api.openai.com?x=1"',
     5, "base_url", "an address, such as https://api.example.com or"),
    (IMAGES, 'base_url = "https://api.openai.com"', 'base_url = "https://api.openai.com:99999999"',
     5, "base_url", "an address that can be reached: Port out of range 0-65535"),
    (IMAGES, 'base_url = "https://api.openai.com"', 'base_url = "https://[::1"',
     5, "base_url", "an address that can be reached: Invalid IPv6 URL"),
    (IMAGES, 'base_url = "https://api.openai.com"', 'base_url = "https://user:pw@api.openai.com"',
     5, "base_url", "an address without a name or password; the key goes with auth"),
    (IMAGES, 'hosts = ["api.openai.com"]', 'hosts = ["https://api.openai.com"]',
     6, "hosts.0", "a host, such as api.example.com, *.example.com or"),
    (IMAGES, 'hosts = ["api.openai.com"]', 'hosts = ["cdn.example"]',
     5, "base_url", "a host that hosts names: cdn.example"),
    (IMAGES, 'hosts = ["api.openai.com"]', "hosts = []",
     6, "hosts", "1 or more elements, not []"),
    (IMAGES, 'hosts = ["api.openai.com"]', 'hosts = ["api.openai.com", "api.openai.com"]',
     6, "hosts", 'every element once, not ["api.openai.com", "api.openai.com"]'),
    (IMAGES, "redact =", 'provider = "openai"\nredact =',
     16, "provider", "TOML: each key and table once (Cannot overwrite a value"),
    (IMAGES, "[events]", "[submit]\n[events]",
     49, "submit", "TOML: each key and table once (Cannot declare ('submit',) twice"),
    (IMAGES, 'size = "body.size"\n', 'size = "body.size"\nsize = "body.size"\n',
     40, "submit.slots.size", "TOML: each key and table once (Cannot overwrite a value"),
    (IMAGES, "seed = false", "seed = false, seed = true",
     11, "caps", "TOML: each key and table once (Duplicate inline table key 'seed'"),
    (IMAGES, 'redact = ["body.user"]', 'redact = ["body.user", "body.user"]',
     16, "redact", 'every element once, not ["body.user", "body.user"]'),
    (IMAGES, 'kind = "base64"', 'kind = "base46"',
     18, "output.kind", 'one of "url", "base64", "bytes", "get", "json", not "base46"'),
    (SPEED, 'failed = "failed"', 'failed = "broken"',
     73, "poll.map.failed", 'one of "queued", "processing", "succeeded", "failed",'),
    (IMAGES, 'class = "quota"', 'class = "quotas"',
     24, "errors.1.class", 'one of "succeeded", "blocked", "rejected", "auth", "quota",'),
    (IMAGES, 'operation = "image.generate"', 'operation = "image.make"',
     7, "operation", 'one of "image.generate", "image.edit", "video.generate",'),
    (SPEED, '"*music*" = "music.generate"', '"*music*" = "music.make"',
     40, "operation.*music*", 'one of "image.generate", "image.edit", "video.generate",'),
    (IMAGES, 'n = { at = "body.n", type = "integer" }', 'n = { at = "body.n", type = "int" }',
     38, "submit.slots.n.type", 'one of "text", "integer", "number", "boolean", not "int"'),
    (IMAGES, 'kind = "snapshot"', 'kind = "dated"',
     10, "pin.0.kind", 'one of "snapshot", "hash", "build", not "dated"'),
    (IMAGES, 'commercial_use = "allowed"', 'commercial_use = "yes"',
     28, "license.commercial_use", 'one of "allowed", "denied", "unknown", not "yes"'),
    (SPEED, 'scheme = "raw-whsec"', 'scheme = "hmac"',
     19, "webhook.scheme", 'one of "standard", "raw-whsec", "hex-header", "shared-header",'),
    (SPEED, 'as = "upload" }\nmask', 'as = "url" }\nmask',
     67, "inputs.images.as", 'one of "file", "bytes", "base64", "data-url", "upload", not'),
    (SPEED, "limit_s = 1800", 'limit_s = "30m"',
     75, "poll.limit_s", 'a whole number, not "30m"'),
    (SPEED, "limit_s = 1800", "limit_s = 0",
     75, "poll.limit_s", "1 or more, not 0"),
    (SPEED, "after_ms = 1000", "after_ms = 1.5",
     74, "poll.after_ms", "a whole number, not 1.5"),
    (SPEED, "after_ms = 1000", "after_ms = -1",
     74, "poll.after_ms", "0 or more, not -1"),
    (IMAGES, 'count = "n"', 'count = "n"\ntimeout_s = 99999',
     34, "submit.timeout_s", "7200 or less, not 99999"),
    (IMAGES, ' || body.message"', '"\ncost = { amount = "body.cost" }',
     59, "facts.cost", "the key 'currency', missing here"),
    (IMAGES, ' || body.message"', '"\ncost = { amount = "body.cost", currency = "$" }',
     59, "facts.cost.currency", "a currency, such as USD, or what else is counted, such as"),
    (IMAGES, 'error = "body.error.message || body.message"', 'error = "body.error.message"\ncost = 0.04',
     59, "facts.cost", "a table ({...} or [name]), not 0.04"),
    (IMAGES, '"2026-10-23"', '"October 2026"',
     20, "retires.gpt-image-1", 'a day, such as 2026-09-24, not "October 2026"'),
    (IMAGES, '"2026-10-23"', "2026-10-23T00:00:00Z",
     20, "retires.gpt-image-1", "a day, or text in quotes, not the moment 2026-10-23"),
    (IMAGES, '"2026-10-23"', "2026-13-23",
     20, "retires", "TOML: a comma, or the table's closing } (Unclosed inline table"),
    (IMAGES, '"2026-10-23"', '"2026-02-30"',
     20, "retires.gpt-image-1", "a day of the calendar, not 2026-02-30"),
    (IMAGES, "retention_days = 30", "retention_days = inf",
     29, "data.retention_days", "a finite number, not inf"),
    (EDITS, 'like = "openai-images"', 'like = "openai-pictures"',
     4, "like", "the id of another description, shipped or in"),
    (EDITS, 'like = "openai-images"', 'like = "../openai-images"',
     4, "like", "a name of small letters, digits and -, such as painter-images,"),
    (EDITS, 'like = "openai-images"', 'like = ["openai-images"]',
     4, "like", "text in quotes: a name of small letters, digits and -,"),
    (EDITS, 'like = "openai-images"', 'like = "openai-images"\nprovider = "other"',
     5, "provider", "'openai', whose description openai-images is"),
    (EDITS, 'like = "openai-images"', 'liek = "openai-images"',
     4, "liek", "no such key; did you mean 'like'"),
    (IMAGES, 'prompt = "body.prompt"', 'prompt = "prompt"',
     37, "submit.slots.prompt", "a place in the request, such as body.prompt, query.seed or"),
    (IMAGES, 'prompt = "body.prompt"', 'prompt = "body..prompt"',
     37, "submit.slots.prompt", "a place in the request, such as body.prompt, query.seed or"),
    (IMAGES, 'prompt = "body.prompt"', 'Prompt = "body.prompt"',
     37, "submit.slots.Prompt", "as key a name of small letters, digits and _, such as"),
    (IMAGES, 'count = "n"', 'count = "number"',
     33, "submit.count", "the name of a slot: background, model, moderation, n,"),
    (IMAGES, 'match = "POST /v1/images/generations"', 'match = "POST /v1/{model}"',
     35, "submit.slots", "a slot at path.model, as submit.match has {model}"),
    (SPEED, 'model = "path.model"', 'model = "body.model"',
     51, "submit.slots", "a slot at path.model, as submit.match has {model}"),
    (SPEED, "template = { body = {} }", 'template = { body = {}, path = { modle = "x" } }',
     16, "template.path.modle", "a name that submit.match has in braces: model"),
    (IMAGES, "template = { body = {} }", "template = {}",
     17, "template", "the key 'body', missing here"),
    (IMAGES, 'match = "POST /v1/images/generations"', 'match = "/v1/images/generations"',
     32, "submit.match", "a method and a path, such as POST /v1/images; methods are GET,"),
    (IMAGES, 'match = "POST /v1/images/generations"', 'match = "DELETE /v1/images"',
     32, "submit.match", "a method and a path, such as POST /v1/images; methods are GET,"),
    (SPEED, "/predictions/{job}/result", "/predictions/{id}/result",
     71, "poll.path", "{job} alone in braces, not {id}"),
    (SPEED, 'job = "body.data.id"\n', "",
     70, "poll.path", "submit.job, which says where the job's id is"),
    (IMAGES, '"body.model", "body.size"', '"body.prompt", "body.size"',
     13, "public.0", "no place of prompt: what is public is never sealed"),
    (IMAGES, '"body.model", "body.size"', '"model", "body.size"',
     13, "public.0", "a place, such as body.size, body.items[].text, query.seed or"),
    (IMAGES, "[submit.slots]", "[slots]",
     35, "slots", "no such key; it belongs into [submit]"),
    (IMAGES, "[events]", "[submit.events]",
     49, "submit.events", "no such key; [events] is a table of its own"),
    (IMAGES, "[facts]", "[output.facts]",
     54, "output.facts", "TOML: each key and table once (Cannot declare ('output',"),
    (IMAGES, "[submit]", "[[submit]]",
     31, "submit", "a table ({...} or [name])"),
    (SPEED, "[poll]", "[polling]",
     70, "polling", "no such key; did you mean 'poll'"),
    (IMAGES, '["gpt-image-2-2026-04-21"] }', '"gpt-image-2-2026-04-21" }',
     19, "pins.gpt-image-2", 'a list ([...] or [[name]]), not "gpt-image-2-2026-04-21"'),
    (IMAGES, 'pins = { "gpt-image-2" = ["gpt-image-2-2026-04-21"] }', 'pins = ["gpt-image-2-2026-04-21"]',
     19, "pins", 'a table ({...} or [name]), not ["gpt-image-2-2026-04-21"]'),
    (IMAGES, '2026-04-21"] }', 'april"] }',
     19, "pins.gpt-image-2", "pins, and no pin pattern matches 'gpt-image-2-april'"),
    (IMAGES, "[submit]", "[submit",
     31, "", "TOML (Expected ']' at the end of a table declaration"),
    (IMAGES, 'provider = "openai"', 'provider = "openai',
     4, "provider", "TOML: a closing quote (Illegal character '\\n'"),
    (IMAGES, 'provider = "openai"', "provider = openai",
     4, "provider", "TOML: a value, which is text in quotes, a number, true, false,"),
    (IMAGES, 'provider = "openai"', 'provider: "openai"',
     4, "", "TOML (Expected '=' after a key in a key/value pair"),
    (IMAGES, 'provider = "openai"', "provider = ",
     4, "provider", "TOML: a value, which is text in quotes, a number, true, false,"),
    (IMAGES, 'redact = ["body.user"]', 'redact = ["body.user"',
     17, "redact", "TOML: a comma, or the list's closing ] (Unclosed array"),
    (IMAGES, "seed = false", "seed = False",
     11, "caps", "TOML: a value, which is text in quotes, a number, true, false,"),
    (IMAGES, "'headers.\"x-request-id\"'", '"headers."x-request-id""',
     55, "facts.request_id", 'TOML: nothing more in this line; quotes in text are written \\"'),
    (IMAGES, 'id = "openai-images"', 'id = "openai"',
     3, "id", "'openai-images', as the file is called openai-images.toml"),
    (IMAGES, 'id = "openai-images"', 'id = "OpenAI Images"',
     3, "id", "a name of small letters, digits and -, such as painter-images,"),
    (IMAGES, "webhook = false", "webhook = true",
     11, "caps.webhook", "true if, and only if, a table [webhook] says how callbacks are"),
    (IMAGES, "idempotency = false", "idempotency = true",
     11, "caps.idempotency", "true if, and only if, submit.idempotency names the header of"),
    (IMAGES, 'value = "Bearer {secret}"', 'value = "Bearer sk-123"',
     9, "auth.value", "text with {secret} where the key goes, such as Bearer {secret}"),
    (IMAGES, 'secret = "OPENAI_API_KEY"', 'secret = "sk-proj-abcdef"',
     9, "auth.secret", "the name that the secret is stored under, such as"),
    (IMAGES, 'class = "quota" }', 'class = "succeeded" }',
     24, "errors.1", "the key 'safety', missing here"),
    (IMAGES, 'path = "/v1/models/{model}"', 'path = "/v1/models"',
     21, "retiring.path", "a path with {model}, such as /v1/models/{model}, not"),
    (IMAGES, ' || body.message"', '"\nretires = { a = 2026-01-01 }',
     59, "facts.retires", "no such key; [retires] is a table of its own"),
    (EDITS, 'body.image", as = "file" }', 'image", as = "file" }',
     32, "inputs.image.at", "a place in the body, such as body.image; body alone is all of"),
    (IMAGES, '"response.size", ', '"response size", ',
     14, "public.7", "a place, such as body.size, body.items[].text, query.seed or"),
    (IMAGES, 'expr = "body.data[].b64_json"', 'expr = "hrefs(body.data)"',
     18, "output.expr", "a function that JMESPath has, not 'hrefs'"),
    (IMAGES, 'expr = "body.data[].b64_json"', 'expr = "answer.data[].b64_json"',
     18, "output.expr", "an expression that begins at status, headers, body or submit,"),
    (IMAGES, 'expr = "body.data[].b64_json"', 'expr = "[].b64_json"',
     18, "output.expr", "an expression that begins at status, headers, body or submit,"),
    (IMAGES, "body.error.message || body.message", "error.message || body.message",
     58, "facts.error", "an expression that begins at status, headers, body or submit,"),
    (IMAGES, "'headers.\"x-request-id\"'", "'headers.\"X-Request-Id\"'",
     55, "facts.request_id", "the name of a header in lower case, x-request-id, not"),
    (SPEED, 'job = "body.data.id"\n', 'job = "submit.data.id"\n',
     48, "submit.job", "status, headers or body behind submit, not 'data'"),
    (IMAGES, 'count = "n"', 'count = "n"\nwhen = "status == `200`"',
     34, "submit.when", "an expression that begins at body or query, not at 'status'"),
    (IMAGES, 'answer = "merge(last, ', 'answer = "merge(body, ',
     52, "events.answer", "an expression that begins at last, events or parts, not at"),
    (IMAGES, '"status == `429`"', "\"status == '429'\"",
     26, "errors.3.when", "a number to compare status with, in backquotes: `429`, not"),
    (SPEED, 'completed = "succeeded", ', "",
     73, "poll.map", 'a word that means "succeeded": a job would be asked about'),
    (IMAGES, 'count = "n"', 'count = "n"\njob = "body.id"',
     34, "submit.job", "a table [poll] that says how the job is followed, or no job"),
    (SPEED, "/predictions/{job}/result", "/predictions/result",
     71, "poll.path", "{job} in the path, which stands for the job's id, not"),
    (SPEED, 'kind = "url", expr', 'kind = "get", path = "/file", expr',
     18, "output.path", "{job} in the path, which stands for the job's id, not '/file'"),
    (SPEED, 'kind = "url", expr = "body.data.outputs"', 'kind = "bytes"',
     18, "output.kind", '"url", "base64", "get" or "json", as bytes are the first'),
    (IMAGES, 'kind = "base64", expr = "body.data[].b64_json"', 'kind = "bytes", result = "body.url"',
     18, "output.kind", '"url", "base64", "get" or "json", as bytes are the first'),
    (SPEED, 'state = "body.data.status"\nmap', 'url = "body.u"\nstate = "body.data.status"\nmap',
     70, "poll", "one of the keys 'path' and 'url', and one alone"),
    (IMAGEN, "parameters = { includeRaiReason = true }", 'parameters = "x"',
     27, "template.body.parameters", "a table there, as submit.slots.add_watermark writes"),
    (RESPONSES, 'tools = [{ type = "image_generation" }]', "tools = []",
     17, "template.body.tools", "a list with element 0 there, as submit.slots.image_background"),
    (IMAGES, 'count = "n"', 'count = "n"\nheaders = { authorization = "Bearer sk-live-1" }',
     34, "submit.headers.authorization", "no header of the key: [auth] says how it is sent"),
    (IMAGES, 'count = "n"', 'count = "n"\nheaders = { Cookie = "a=b" }',
     34, "submit.headers.Cookie", "no header of the key: [auth] says how it is sent"),
    (IMAGES, 'count = "n"', 'count = "n"\nheaders = { Content-Type = "application/json" }',
     34, "submit.headers.Content-Type", "no header that every request writes itself"),
    (IMAGES, 'size = "body.size"', 'size = "body.prompt"',
     39, "submit.slots.size", "a place of its own: at body.prompt stands prompt"),
    (IMAGES, 'redact = ["body.user"]', 'redact = ["body.user", "body.prompt"]',
     16, "redact.1", "no place of submit.slots.prompt: the request would be kept"),
    (IMAGES, 'redact = ["body.user"]', 'redact = ["response.data[].b64_json"]',
     16, "redact.0", "no place of output.expr: what came of a call would be kept"),
    (IMAGES, 'redact = ["body.user"]', 'redact = ["response.data"]',
     16, "redact.0", "no place of output.expr: what came of a call would be kept"),
    (SPEED, 'redact = ["query.webhook", ', 'redact = ["body.image", "query.webhook", ',
     15, "redact.0", "no place of inputs.image: the request would be kept without"),
    (SPEED, 'redact = ["query.webhook", ', 'redact = ["response.data.status", "query.webhook", ',
     15, "redact.0", "no place of poll.state: what came of a call would be kept"),
    (IMAGES, "[events]\n", '[inputs]\nimage = { at = "body.image", as = "file" }\n\n[events]\n',
     50, "inputs.image.as", '"base64" or "data-url" or "upload", as submit.encode is'),
    (EDITS, 'mask = { at = "body.mask", as = "file" }', 'mask = { at = "body.mask", as = "base64" }',
     33, "inputs.mask.as", '"file" or "upload", as submit.encode is "multipart", not'),
    (IMAGES, 'count = "n"', 'count = "n"\nencode = "bytes"',
     34, "submit.encode", 'an input with as = "bytes", the file that is the whole body'),
    (LISTEN, 'model = "query.model"', 'model = "body.model"',
     31, "submit.slots.model", "a place in query or path, as a file is the whole body"),
    (LISTEN, 'at = "body", as = "bytes"', 'at = "body", as = "file"',
     48, "inputs.audio.as", '"bytes", as submit.encode is "bytes", not "file"'),
    (SPEED, 'at = "body.image", as', 'at = "body", as',
     66, "inputs.image.at", "a place in the body, such as body.image: a file is not all of"),
    (IMAGES, 'hosts = ["api.openai.com"]', 'hosts = ["*.com", "api.openai.com"]',
     6, "hosts.0", "two names or more behind the last *, such as *.example.com,"),
    (IMAGES, 'hosts = ["api.openai.com"]', 'hosts = ["api.openai.com", "api.*.com:443"]',
     6, "hosts.1", "two names or more behind the last *, such as *.example.com,"),
    (IMAGES, 'hosts = ["api.openai.com"]', 'hosts = ["api.openai.com", "api.*"]',
     6, "hosts.1", "two names or more behind the last *, such as *.example.com,"),
    (IMAGES, ' || body.message"', '"\ncost = { amount = "body.cost", currency = "body.currency" }',
     59, "facts.cost.currency", "a currency, such as USD, or what else is counted, such as"),
    (IMAGES, 'redact = ["body.user"]', 'redact = ["body.user"]\ncontract = { availability = 0.995 }',
     17, "contract.availability", 'text in quotes: percent as text, such as "99.9", not 0.995'),
    (IMAGES, 'redact = ["body.user"]', 'redact = ["body.user"]\ncontract = { availability = "0.995" }',
     17, "contract.availability", 'percent as text, such as "99.9", not "0.995"'),
    (IMAGES, '"gpt-image-1" = "2026-10-23"', '"gpt-image-*" = "soon"',
     20, "retires.gpt-image-*", 'a day, such as 2026-09-24, not "soon"'),
]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "old", "new", "line", "key", "expected"),
    MISTAKES,
    ids=[f"{row[4]}-{number}" for number, row in enumerate(MISTAKES)],
)
def test_a_mistake_is_told_by_file_line_key_and_what_was_expected(tmp_path, name, old, new, line, key, expected):
    text = resources.files("registry.capture").joinpath("descriptions", f"{name}.toml").read_text("utf-8")
    assert text.count(old) == 1
    path = tmp_path / f"{name}.toml"
    path.write_text(text.replace(old, new), encoding="utf-8")

    with pytest.raises(BadDescription) as caught:
        load(path)

    assert (caught.value.line, caught.value.key) == (line, key)
    assert caught.value.expected.startswith(f"expected {expected}")
    assert str(caught.value).startswith(f"{path}:{line}: {key or 'file'}: expected {expected}")


FILES = [
    (b"", 1, "the keys 'id', 'provider', 'operation'"),
    (b"# nothing yet\n", 1, "the keys 'id', 'provider', 'operation'"),
    (b'{"id": "own"}', 1, "TOML: key = value, or a [table]"),
    (b'id = "own"\n\x00', 2, "TOML: key = value, or a [table]"),
    (bytes(range(256)), 2, "UTF-8 text"),
    ('id = "own"'.encode("utf-16"), 1, "UTF-8 text"),
    (b'\xef\xbb\xbfid = "own"', 1, "UTF-8 text without a byte order mark"),
    (b"id = " + b"[" * 5000 + b"]" * 5000, 1, "tables and lists that are nested less deeply"),
]


@pytest.mark.parametrize(("data", "line", "expected"), FILES, ids=[expected[:12] for _, _, expected in FILES])
def test_what_is_no_description_at_all_is_told_so(tmp_path, data, line, expected):
    path = tmp_path / "own.toml"
    path.write_bytes(data)

    with pytest.raises(BadDescription) as caught:
        load(path)

    assert (caught.value.line, caught.value.key) == (line, "")
    assert str(caught.value).startswith(f"{path}:{line}: file: expected {expected}")


@pytest.mark.parametrize(("make", "why"), [("mkdir", "Is a directory"), ("exists", "No such file or directory")])
def test_a_folder_and_a_file_that_is_not_there_are_told(tmp_path, make, why):
    path = tmp_path / "own.toml"
    getattr(path, make)()

    with pytest.raises(
        BadDescription, match=rf"own\.toml:1: file: expected a TOML file; it cannot be read: {why}; name another file"
    ):
        load(path)


def test_a_mistake_in_the_other_file_is_told_of_that_one(tmp_path):
    (tmp_path / "own.toml").write_text('id = "own"\nlike = "other"\n', encoding="utf-8")
    (tmp_path / "other.toml").write_text('id = "other"\nprovider = 3\n', encoding="utf-8")

    with pytest.raises(BadDescription, match=r"other\.toml:2: provider: expected text in quotes: a name of .*, not 3"):
        load(tmp_path / "own.toml")


@pytest.mark.parametrize("auth", ['"sk-live-1"', '{ header = "A", value = "Bearer sk-live-1", secret = "sk-live-1" }'])
def test_a_key_that_was_pasted_into_the_file_is_not_repeated(tmp_path, auth):
    path = tmp_path / "own.toml"
    path.write_text(f'id = "own"\nauth = {auth}\n', encoding="utf-8")

    with pytest.raises(BadDescription) as caught:
        load(path)

    assert caught.value.line == 2 and "sk-live-1" not in str(caught.value)


def test_every_form_that_the_schema_asks_for_is_told_in_words():
    """A pattern without a title could only be told as a regular expression."""
    schema = json.loads(resources.files("schemas").joinpath("provider", "v1.schema.json").read_text("utf-8"))
    untold = [node for name, node in _nodes(schema, "") if "pattern" in node and "title" not in node and name != "if"]

    assert untold == []


def _nodes(node, name):
    if isinstance(node, dict):
        if isinstance(node.get("pattern"), str):
            yield name, node
        for key, member in node.items():
            yield from () if key == "if" else _nodes(member, key)
    elif isinstance(node, list):
        for member in node:
            yield from _nodes(member, name)
