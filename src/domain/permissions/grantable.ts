import type { Permission, ResourceServerId } from '../ids.ts';
import type { WrittenPermission } from './written-grants.ts';

/** A permission, or a whole resource server, that managers of a company's accounts may grant without holding it. */
export interface Grantable {
  readonly resourceServerId: ResourceServerId;
  /** The `aud` of tokens for the resource server. */
  readonly identifier: string;
  /** Undefined: every permission of the resource server. */
  readonly permission: Permission | undefined;
  /** Whether the permission was written with its resource server, and reads back so. */
  readonly qualified: boolean;
}

/** One as people write it: a permission, or a resource server by its identifier. */
export type WrittenGrantable = WrittenPermission | { readonly resource: string };

/** The outcome of a change of the grantable permissions. */
export interface GrantableChanges {
  readonly added: readonly Grantable[];
  readonly removed: readonly Grantable[];
  /** All that there is then. */
  readonly grantable: readonly Grantable[];
}
