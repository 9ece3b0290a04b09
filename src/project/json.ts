import { UserError, messageOf } from '../action/errors.ts';

/**
 * The JSON object in a file's text.
 * @throws UserError with the remedy given when it is anything else
 */
export function parseObject(text: string, file: string, remedy: string): Readonly<Record<string, unknown>> {
  let value: unknown;
  try {
    // Some editors on Windows write a byte order mark; npm takes it too.
    value = JSON.parse(text.replace(/^\uFEFF/, ''));
  } catch (error) {
    throw new UserError(`${file} is not JSON: ${messageOf(error)}`, { remedy, place: { file }, cause: error });
  }
  if (isObject(value)) return value;
  throw new UserError(`${file} is not a JSON object.`, { remedy, place: { file } });
}

/** Whether a value that came from outside is an object, so neither an array nor null. */
export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The entries of an object whose values are texts; none when it is no object. */
export function texts(value: unknown): Readonly<Record<string, string>> {
  if (!isObject(value)) return {};
  return Object.fromEntries(
    Object.entries(value).filter((entry): entry is [string, string] => typeof entry[1] === 'string'),
  );
}

/** JSON without comments and without commas before a closing bracket; walked once, as regular expressions go astray. */
export function plainJson(text: string): string {
  const out: string[] = [];
  let comma = -1;
  for (let at = 0; at < text.length;) {
    const end = endOfToken(text, at);
    const token = text.slice(at, end);
    at = end;
    if (token.startsWith('//') || token.startsWith('/*')) continue;
    if ((token === '}' || token === ']') && comma !== -1) out[comma] = '';
    if (token.trim() !== '') comma = token === ',' ? out.length : -1;
    out.push(token);
  }
  return out.join('');
}

/** Where the text, comment or character that begins at a place ends. */
function endOfToken(text: string, at: number): number {
  const after = (end: number, length: number): number => (end === -1 ? text.length : end + length);
  if (text.startsWith('//', at)) return after(text.indexOf('\n', at), 0);
  if (text.startsWith('/*', at)) return after(text.indexOf('*/', at + 2), 2);
  if (text[at] !== '"') return at + 1;
  let end = at + 1;
  while (end < text.length && text[end] !== '"') end += text[end] === '\\' ? 2 : 1;
  return end + 1;
}
