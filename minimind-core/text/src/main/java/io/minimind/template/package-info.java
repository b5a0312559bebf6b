/**
 * A small Jinja engine for chat templates: {@link io.minimind.template.Template} from source to
 * text. It renders as jinja2 does in the environment that transformers sets up, with the output of
 * Hugging Face's JavaScript engine where the two differ.
 */
package io.minimind.template;
