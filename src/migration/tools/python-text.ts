// What is read of Python's files, without running them. Anybody may have written them, so each text is gone through once.

/** A text in a list after `name =`, up to its end; '' where there is none. */
export function listAfter(text: string, name: string): string {
  const [head] = new RegExp(String.raw`\b${name}\s{0,20}(?::[^=\n]{0,200})?=\s{0,20}\[`).exec(text) ?? [];
  if (head === undefined) return '';
  const start = text.indexOf(head) + head.length;
  const end = text.indexOf(']', start);
  return end === -1 ? '' : text.slice(start, end);
}

/** Whether a function's body, which begins the text, does anything but pass or raise. */
export function doesSomething(body: string): boolean {
  let at = 0;
  for (;;) {
    while (/\s/.test(body.charAt(at))) at += 1;
    const end = body.startsWith('#', at) ? '\n' : body.startsWith('"""', at) ? '"""' : undefined;
    if (end === undefined) break;
    const found = body.indexOf(end, at + end.length);
    if (found === -1) return false;
    at = found + end.length;
  }
  return at < body.length && !/^(?:pass|raise)\b/.test(body.slice(at, at + 10));
}

const QUOTES = ['"""', "'''", '"', "'"];
const MAX_CALLS = 1000;

/** Whether a call of this name is given one thing alone: a text in quotes, or a name. */
export function hasLoneArgument(text: string, call: string): boolean {
  let calls = 0;
  for (let at = text.indexOf(`${call}(`); at !== -1 && calls < MAX_CALLS; at = text.indexOf(`${call}(`, at + 1)) {
    calls += 1;
    const start = at + call.length + 1;
    const space = /^\s{0,200}/.exec(text.slice(start, start + 200))?.[0].length ?? 0;
    const quote = QUOTES.find((one) => text.startsWith(one, start + space));
    const word = /^[\w.]{0,200}/.exec(text.slice(start + space, start + space + 200))?.[0].length ?? 0;
    const close = quote === undefined ? -1 : text.indexOf(quote, start + space + quote.length);
    // Without its end it is no text, and neither are those after it.
    if (quote !== undefined && close === -1) return false;
    const end = quote === undefined ? start + space + word : close + quote.length;
    if (/^\s{0,200},?\s{0,200}\)/.test(text.slice(end, end + 500))) return true;
  }
  return false;
}
