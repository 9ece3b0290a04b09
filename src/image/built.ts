import type { Reference } from '../container/reference.ts';
import type { Auths } from '../container/registry.ts';
import type { Target } from './target.ts';

/** The image of a build. */
export interface BuiltImage {
  /** Repository path, without the registry. */
  readonly name: string;
  /** `repository@sha256:…`; absent where it was built and not pushed. */
  readonly reference?: string;
  readonly digest?: string;
  readonly reused: boolean;
  readonly tags: readonly string[];
  /** All that it took, without what it waited for the checks. */
  readonly seconds: number;
  /** It was built while the checks ran, and pushed after them. */
  readonly beside?: boolean;
  /** The Dockerfile where it was generated. */
  readonly generated?: string;
  readonly repositoryCreated?: boolean;
  /** How to reach it where it was pushed. */
  readonly pushed?: {
    readonly image: Reference & { readonly digest: string };
    readonly auths: Auths;
    readonly scan: Target['scan'];
  };
}
