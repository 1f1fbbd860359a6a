// What the threads that read files again are asked, and what they answer.

export interface ProofTask {
  /** Absolute, without any symbolic link in it. */
  readonly file: string;
  readonly dataSetOffset: number;
  readonly dataSetBytes: number;
  readonly sha256: string;
}

/** undefined: as it was received. */
export type ProofAnswer = { readonly kind: 'missing' | 'altered'; readonly reason: string } | undefined;
