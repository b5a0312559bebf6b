/**
 * Models of this project for langchain4j: {@link io.minimind.langchain4j.MiniMindChatModel}, {@link
 * io.minimind.langchain4j.MiniMindStreamingChatModel} and {@link
 * io.minimind.langchain4j.MiniMindEmbeddingModel}. All are made of a {@link
 * io.minimind.infer.LanguageModel}, which stays its owner's and must be closed after them.
 */
package io.minimind.langchain4j;
