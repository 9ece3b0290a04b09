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
