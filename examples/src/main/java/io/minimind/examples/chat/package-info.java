/**
 * Talking to a model in a terminal or through pipes. {@link io.minimind.examples.chat.Talk} goes
 * from message to message, a {@link io.minimind.examples.chat.Conversation} is what was said and
 * how it goes on, and a {@link io.minimind.examples.chat.Screen} is where a person reads and types.
 */
package io.minimind.examples.chat;
