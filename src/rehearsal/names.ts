/** A name without schema and quotes, as it stands in a statement however it is written there. */
export function bare(name: string): string {
  return (name.split('.').at(-1) ?? name).replaceAll('"', '');
}
