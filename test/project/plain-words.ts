/** A beginning without a subject: the reader must go back to find out what the sentence is about. */
const HEADLESS = /^(?:What|Whatever|Who|Whoever|Whom|Whose|Which|Whichever|Those|That|So long|None of)\b/;

/**
 * Finds sentences that begin without a subject (CONTRIBUTING, "Plain words").
 *
 * @param comment the text of a comment, without its marks
 */
export function headlessSentences(comment: string): string[] {
  const text = comment
    .replaceAll(/^\s*\* ?/gm, '')
    .replaceAll(/@(?:param\s+\S+|returns|throws)/g, '. ')
    .replaceAll(/\s+/g, ' ');
  return text
    .split(/(?<=[.:!])\s+(?=[A-Z])/)
    .map((sentence) => sentence.trim())
    .filter((sentence) => HEADLESS.test(sentence) && !sentence.endsWith('?'));
}
