/** A database as tools are told of it: on loopback, without TLS, see the relay of src/postgres. */
export interface Address {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
  readonly database: string;
}
