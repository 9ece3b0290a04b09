import type { Value } from './database.ts';

/** Object ids of built-in types (pg_type.dat); what is not named here stays text. */
const TYPES: Readonly<Record<number, (text: string) => Value>> = {
  16: (text) => text === 't',
  20: safeInteger, // int8
  21: Number, // int2
  23: Number, // int4
  26: Number, // oid
  700: Number, // float4
  701: Number, // float8
  1184: timestamp, // timestamptz
};
/** Arrays of names, numbers and texts, by their elements. */
const ARRAYS: Readonly<Record<number, number>> = {
  1000: 16,
  1005: 21,
  1007: 23,
  1016: 20,
  1028: 26,
  1003: 19,
  1009: 25,
  1015: 1043,
};

/** How the text of a value of this type becomes JavaScript. */
export function parserOf(type: number): (text: string) => Value {
  const element = ARRAYS[type];
  if (element === undefined) return TYPES[type] ?? String;
  const parse = TYPES[element] ?? String;
  return (text) => elements(text).map((item) => (item === null ? null : parse(item)));
}

/** Whole numbers that JavaScript can't hold stay text. */
function safeInteger(text: string): number | string {
  const value = Number(text);
  return Number.isSafeInteger(value) ? value : text;
}

/** In the ISO style; `infinity` and years before Christ stay text. */
function timestamp(text: string): Date | string {
  const date = new Date(text.replace(' ', 'T').replace(/([+-]\d\d)$/, '$1:00'));
  return Number.isNaN(date.getTime()) ? text : date;
}

/** Elements of a one-dimensional array's text: `{a,"b \"c",NULL}` (PostgreSQL manual, 8.15.6). */
function elements(text: string): readonly (string | null)[] {
  return [...text.slice(1, -1).matchAll(/"((?:[^"\\]|\\.)*)"|([^,]+)/gs)].map(([, quoted, plain]) => {
    if (quoted !== undefined) return quoted.replaceAll(/\\(.)/gs, '$1');
    return plain === 'NULL' || plain === undefined ? null : plain;
  });
}
