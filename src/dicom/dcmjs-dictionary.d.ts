// The one part of dcmjs that we use has no types of its own.

declare module 'dcmjs/dictionary' {
  interface DictionaryEntry {
    /** Undefined in one entry that stands for "not in the dictionary". */
    readonly tag?: string;
    readonly vr?: string;
    readonly name?: string;
    readonly version?: string;
  }
  const dictionary: Readonly<Record<string, DictionaryEntry>>;
  export default dictionary;
}
