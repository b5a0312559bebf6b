/**
 * The folder that others take a model from. It is flat, and serves whoever takes it without a copy
 * of anything: as plain files it is a model folder with a card, laid out as model hubs have it;
 * with its {@code pom.xml} it is a Maven module, whose jar carries the same files where {@code
 * LanguageModel.fromClasspath} looks for them.
 */
package io.minimind.publish;
