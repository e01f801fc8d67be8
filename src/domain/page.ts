/** The position of an item in a list that is ordered newest first. */
export interface Position {
  readonly time: Date;
  readonly id: string;
}

/** The part of a list that a caller asks for. */
export interface PageRequest {
  /** The most items of the page. */
  readonly limit: number;
  /** The position of the last item of the previous page; undefined: the page begins with the newest item. */
  readonly after: Position | undefined;
}

/** A part of a list. */
export interface Page<Item> {
  readonly items: readonly Item[];
  /** The position of the last item of this page; undefined: the list ends with this page. */
  readonly next: Position | undefined;
}
