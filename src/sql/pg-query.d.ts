// The parser as Emscripten made it: the package's own wrapper starts a second one in every process that imports it, and
// can't be started anew after a stack overflow.
declare module 'libpg-query/wasm/libpg-query.js' {
  interface PgQuery {
    lengthBytesUTF8(text: string): number;
    stringToUTF8(text: string, pointer: number, bytes: number): void;
    UTF8ToString(pointer: number): string;
    getValue(pointer: number, type: 'i32'): number;
    _malloc(bytes: number): number;
    _free(pointer: number): void;
    _wasm_parse_query_raw(pointer: number): number;
    _wasm_free_parse_result(pointer: number): void;
    _wasm_parse_plpgsql(pointer: number): number;
    _wasm_free_string(pointer: number): void;
  }
  export default function open(): Promise<PgQuery>;
}
