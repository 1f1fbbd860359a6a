// What a rule can be made for without knowing a UID by heart: the kinds of objects of an angiography suite (PS3.6 Table A-1),
// each with the key of its words.

export const SOP_CLASSES: ReadonlyMap<string, string> = new Map([
  ['1.2.840.10008.5.1.4.1.1.12.1', 'xa'],
  ['1.2.840.10008.5.1.4.1.1.12.1.1', 'enhanced-xa'],
  ['1.2.840.10008.5.1.4.1.1.12.2', 'xrf'],
  ['1.2.840.10008.5.1.4.1.1.13.1.1', '3d-angiographic'],
  ['1.2.840.10008.5.1.4.1.1.7', 'secondary-capture'],
  ['1.2.840.10008.5.1.4.1.1.11.1', 'presentation-state'],
  ['1.2.840.10008.5.1.4.1.1.88.67', 'dose-report'],
  ['1.2.840.10008.5.1.4.1.1.104.1', 'pdf'],
]);
