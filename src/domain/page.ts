/** Where in a list, newest first, an item stands. */
export interface Position {
  readonly time: Date;
  readonly id: string;
}

/** Which part of a list is wanted. */
export interface PageRequest {
  /** How many at most. */
  readonly limit: number;
  /** The last item of the page before; undefined: from the newest on. */
  readonly after: Position | undefined;
}

/** A part of a list. */
export interface Page<Item> {
  readonly items: readonly Item[];
  /** Where this page ends, when there is more. */
  readonly next: Position | undefined;
}
