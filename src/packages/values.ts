import { isObject } from '../project/json.ts';
import type { Hash } from './package.ts';

/** The objects among the values of a JSON object, with their keys; none when it is no object. */
export function objects(value: unknown): readonly (readonly [string, Readonly<Record<string, unknown>>])[] {
  if (!isObject(value)) return [];
  return Object.entries(value).filter((entry): entry is [string, Readonly<Record<string, unknown>>] =>
    isObject(entry[1]),
  );
}

/** The objects of a list; none when it is no list. */
export function objectList(value: unknown): readonly Readonly<Record<string, unknown>>[] {
  return Array.isArray(value) ? value.filter(isObject) : [];
}

/** The texts of a list; none when it is no list. */
export function textList(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter((one) => typeof one === 'string') : [];
}

/** The text, or undefined when it is anything else or empty. */
export function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/** The hashes of a Subresource Integrity text, https://www.w3.org/TR/SRI/: `sha512-<base64> sha1-<base64>`. */
export function fromIntegrity(value: unknown): readonly Hash[] {
  return (textOf(value) ?? '').split(/\s+/).flatMap((part) => {
    const [, algorithm, base64 = ''] = /^(sha1|sha256|sha384|sha512)-([A-Za-z0-9+/]+={0,2})$/.exec(part) ?? [];
    return hashOf(algorithm, Buffer.from(base64, 'base64').toString('hex'));
  });
}

/** A hash when it is one: the algorithm known, and as many digits as it gives. */
export function hashOf(algorithm: string | undefined, hex: string): readonly Hash[] {
  const digits = { md5: 32, sha1: 40, sha256: 64, sha384: 96, sha512: 128 } as const;
  const known = Object.keys(digits).find((one): one is Hash['algorithm'] => one === algorithm);
  if (known === undefined || digits[known] !== hex.length || !/^[0-9a-fA-F]+$/.test(hex)) return [];
  return [{ algorithm: known, value: hex.toLowerCase() }];
}

/** The hash of `sha256:<hex>`, as Python's lockfiles write it. */
export function fromPrefixed(value: unknown): readonly Hash[] {
  const [algorithm, hex = ''] = (textOf(value) ?? '').split(':');
  return hashOf(algorithm, hex);
}

/** An address of the web without user name, password and query, which may hold a token; undefined for any other. */
export function sourceOf(value: unknown): string | undefined {
  const url = URL.parse(textOf(value)?.slice(0, 2000) ?? '');
  if (url === null || !/^https?:$/.test(url.protocol)) return undefined;
  return `${url.origin}${url.pathname}`;
}

/**
 * Whether the key of a lockfile may be a folder in node_modules: each level of a longer one would be walked for each
 * package that it wants.
 */
export function isPath(key: string): boolean {
  return key.length <= 1024;
}
