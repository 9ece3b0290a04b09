/**
 * A schema in lines that can be compared: what kind of thing, its name, and its definition as the server writes it.
 * What differs by server or time alone, such as object ids, is left out.
 */
export interface Schema {
  /** `table shipments` or `index billing.invoices_due` to its definition. */
  readonly objects: ReadonlyMap<string, string>;
}

/** How one schema differs from another. */
export interface SchemaDifference {
  /** Such as `column shipments.carrier_id`. */
  readonly object: string;
  /** Absent where it is missing. */
  readonly expected?: string;
  readonly actual?: string;
}

/** What is missing, too much or other in `actual`, in the order of names. */
export function compareSchemas(expected: Schema, actual: Schema): readonly SchemaDifference[] {
  const names = [...new Set([...expected.objects.keys(), ...actual.objects.keys()])].toSorted();
  return names.flatMap((object) => {
    const [wanted, is] = [expected.objects.get(object), actual.objects.get(object)];
    if (wanted === is) return [];
    return [{ object, ...(wanted !== undefined && { expected: wanted }), ...(is !== undefined && { actual: is }) }];
  });
}
