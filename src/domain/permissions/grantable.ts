import type { Permission, ResourceServerId } from '../ids.ts';
import type { WrittenPermission } from './written-grants.ts';

/** A permission, or all permissions of a resource server, that managers of a company's accounts may always grant. */
export interface Grantable {
  readonly resourceServerId: ResourceServerId;
  /** The `aud` of tokens for the resource server. */
  readonly identifier: string;
  /** Undefined: every permission of the resource server. */
  readonly permission: Permission | undefined;
  /** Whether the permission was written with its resource server; it is then shown with its resource server, too. */
  readonly qualified: boolean;
}

/** A `Grantable` as people write it: a permission, or a resource server by its identifier. */
export type WrittenGrantable = WrittenPermission | { readonly resource: string };

/** The outcome of a change of the grantable permissions. */
export interface GrantableChanges {
  readonly added: readonly Grantable[];
  readonly removed: readonly Grantable[];
  /** All grantable permissions after the change. */
  readonly grantable: readonly Grantable[];
}
