/**
 * Models of this project for Spring AI: {@link io.minimind.springai.MiniMindChatModel} and {@link
 * io.minimind.springai.MiniMindEmbeddingModel}. In an application of Spring Boot, {@link
 * io.minimind.springai.MiniMindAutoConfiguration} makes both of the folder that the property {@code
 * spring.ai.minimind.model} names.
 */
package io.minimind.springai;
