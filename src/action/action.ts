import type { Host } from './host.ts';
import type { Inputs, Spec } from './inputs.ts';

/** An action: what it takes, what it gives, and what it does. */
export interface Action<S extends Spec, O extends string> {
  readonly name: string;
  readonly inputs: S;
  readonly outputs: readonly O[];
  /** @returns the outputs; those left out stay empty */
  run(inputs: Inputs<S>, host: Host): Promise<Partial<Record<O, string>>>;
}
