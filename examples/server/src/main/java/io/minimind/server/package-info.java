/**
 * Serves models over HTTP.
 *
 * <pre>{@code
 * try (LanguageModel model = LanguageModel.load(folder, MiniMindServer.loadOptions(8));
 *     MiniMindServer server = MiniMindServer.builder().model("mine", model).port(8080).start()) {
 *   server.join();
 * }
 * }</pre>
 *
 * <p>{@link io.minimind.server.MiniMindServer} is all that a program needs. Inside, {@code Gateway}
 * takes a request and finds its {@code Endpoint}; an endpoint reads what is asked in one of three
 * dialects (OpenAI, Ollama, Anthropic) and hands it to {@code Answering}, which runs it and tells
 * an {@code AnswerForm} what comes. Nothing that waits for a client holds a thread.
 */
package io.minimind.server;
