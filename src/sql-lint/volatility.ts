import type { Node } from 'libpg-query';
import { within } from './clauses.ts';
import { textsOf } from './names.ts';

// Functions of PostgreSQL that defaults are made of and that pg_proc calls stable or immutable. One that is not here may
// be volatile for all the linter knows: those of extensions and of the schema itself are.
const STEADY = new Set(
  `now transaction_timestamp statement_timestamp current_setting current_database current_schema current_user version
  pg_backend_pid txid_current pg_current_xact_id inet_client_addr inet_server_addr timezone date_trunc date_part date_bin
  extract age make_date make_time make_timestamp make_timestamptz make_interval justify_days justify_hours to_timestamp
  to_char to_date to_number lower upper initcap md5 sha224 sha256 sha384 sha512 encode decode convert_to convert_from
  concat concat_ws format left right repeat replace reverse translate lpad rpad trim btrim ltrim rtrim substr substring
  overlay position strpos split_part starts_with length char_length character_length octet_length bit_length ascii chr
  quote_literal quote_ident quote_nullable to_hex regexp_replace regexp_match abs ceil ceiling floor round trunc sign mod
  power sqrt div array_fill array_append array_prepend array_cat array_length array_to_string string_to_array cardinality
  json_build_object json_build_array jsonb_build_object jsonb_build_array json_object jsonb_object to_json to_jsonb
  jsonb_set jsonb_insert jsonb_strip_nulls row_to_json array_to_json int4range int8range numrange tsrange tstzrange
  daterange point box circle host network broadcast netmask masklen set_masklen to_tsvector to_tsquery text int2 int4 int8
  float4 float8 numeric bool date interval nullif hashtext get_byte set_byte`.split(/\s+/),
);

/** Whether a function is one of PostgreSQL's that changes nothing and gives the same within a statement. */
export function isSteady(name: string): boolean {
  return STEADY.has(name);
}

/** The first function in an expression that may give each row another value, as `random()`; undefined where none is. */
export function volatileCall(expression: Node): string | undefined {
  for (const { funcname } of within(expression, 'FuncCall')) {
    const parts = textsOf(funcname);
    const name = parts.at(-1) ?? '';
    const isOwn = parts.length > 1 && parts[0] !== 'pg_catalog';
    if (isOwn || !STEADY.has(name)) return `${parts.filter((part) => part !== 'pg_catalog').join('.')}()`;
  }
  return undefined;
}
