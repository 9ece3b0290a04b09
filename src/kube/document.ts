import type { KubeObject } from './kube.ts';

/** One object of a manifest, and where it stands. */
export interface Document {
  readonly object: KubeObject;
  /** Path below the workspace. */
  readonly file: string;
  /** Line of its first key, from 1. */
  readonly line: number;
}
