/** Conversations, and the templates that turn them into the text a model was trained on. */
package io.minimind.chat;
