/**
 * Structured output: answers that follow a JSON schema, a regular expression or a list of choices.
 *
 * <p>What is asked for becomes an {@link io.minimind.infer.constraint.Expression}, this an
 * automaton over bytes with calls for what is recursive, and the automaton walks the vocabulary, a
 * tree of the tokens' bytes, to find the tokens that may follow.
 */
package io.minimind.infer.constraint;
