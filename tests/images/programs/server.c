/* The contract in one static program: GET /ping and POST /invocations on 0.0.0.0:8080 (or the port given), a thread per
 * connection. For images without an interpreter, for another architecture, and for measuring a start: it listens at once. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

static void answer(int client, const char *status, const char *body) {
    char text[512];
    int length = snprintf(text, sizeof text,
                          "HTTP/1.1 %s\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n\r\n%s", status,
                          strlen(body), body);
    if (send(client, text, (size_t)length, MSG_NOSIGNAL) < 0) {
        perror("send");
    }
}

static size_t content_length(const char *head) {
    const char *line = strcasestr(head, "\r\ncontent-length:");
    return line ? strtoul(line + 17, NULL, 10) : 0;
}

static void *serve(void *argument) {
    int client = (int)(long)argument;
    char text[65536 + 1];
    size_t filled = 0;
    for (;;) {
        ssize_t got = recv(client, text + filled, sizeof text - 1 - filled, 0);
        if (got <= 0) {
            break;
        }
        filled += (size_t)got;
        text[filled] = 0;
        char *end;
        while ((end = strstr(text, "\r\n\r\n")) != NULL) {
            size_t whole = (size_t)(end + 4 - text) + content_length(text);
            if (whole > filled) {
                break;
            }
            if (strncmp(text, "GET /ping ", 10) == 0) {
                answer(client, "200 OK", "{\"status\": \"Healthy\"}");
            } else if (strncmp(text, "POST /invocations ", 18) == 0) {
                answer(client, "200 OK", "{\"result\": \"hello\"}");
            } else {
                answer(client, "404 Not Found", "{\"error\": \"no such path\"}");
            }
            memmove(text, text + whole, filled - whole + 1);
            filled -= whole;
        }
        if (filled >= sizeof text - 1) {
            break;
        }
    }
    close(client);
    return NULL;
}

int main(int count, char **words) {
    struct sockaddr_in at = {.sin_family = AF_INET};
    at.sin_port = htons((unsigned short)(count > 1 ? atoi(words[1]) : 8080));
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), yes = 1;
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    if (bind(listener, (struct sockaddr *)&at, sizeof at) || listen(listener, 64)) {
        perror("bind");
        return 1;
    }
    printf("listening on 0.0.0.0:%d\n", ntohs(at.sin_port));
    fflush(stdout);
    for (;;) {
        int client = accept(listener, NULL, NULL);
        if (client < 0) {
            continue;
        }
        pthread_t thread;
        if (pthread_create(&thread, NULL, serve, (void *)(long)client)) {
            close(client);
        } else {
            pthread_detach(thread);
        }
    }
}
