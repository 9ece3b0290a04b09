/**
 * A COPY whose layer stands by itself, whatever lies below it
 * (https://docs.docker.com/reference/dockerfile/#copy---link): of a base and layers that a registry keeps nothing has to
 * be brought. It needs Docker 23 or BuildKit 0.10.
 */
export const LINKED_COPY = 'COPY --link';

/** A Dockerfile for any builder: the same image, where the builder may be older and could not gain anything. */
export function withoutLinks(dockerfile: string): string {
  return dockerfile.replaceAll(new RegExp(`^${LINKED_COPY} `, 'gm'), 'COPY ');
}
