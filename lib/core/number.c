/* Numbers as text. The C library's strtod and printf follow the locale's decimal point; a program that embeds the
 * library may have set one, so both run in the "C" locale here (which glibc and musl hold ready: no allocation). */
#include "core/number.h"

#include <errno.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>

static bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

static const char *skip_digits(const char *text) {
    while (is_digit(*text))
        text++;
    return text;
}

static const char *skip_sign(const char *text) {
    return *text == '+' || *text == '-' ? text + 1 : text;
}

ebm_number_result ebm_number_integer(const char *text, int64_t *value) {
    const char *digits = skip_sign(text);
    const char *end = skip_digits(digits);
    if (end == digits || *end != '\0' || (*digits == '0' && end != digits + 1))
        return EBM_NUMBER_SYNTAX;
    errno = 0;
    long long parsed = strtoll(text, NULL, 10);
    if (errno == ERANGE)
        return EBM_NUMBER_RANGE;
    *value = parsed;
    return EBM_NUMBER_OK;
}

/* True if `text` is a decimal number from end to end; `nonzero` tells whether any digit of its mantissa is. */
static bool is_decimal(const char *text, bool *nonzero) {
    const char *start = skip_sign(text), *end = skip_digits(start);
    size_t digits = (size_t)(end - start);
    if (*end == '.') {
        const char *fraction = end + 1;
        end = skip_digits(fraction);
        digits += (size_t)(end - fraction);
    }
    if (digits == 0)
        return false;
    *nonzero = false;
    for (const char *c = start; c < end; c++)
        *nonzero = *nonzero || (*c >= '1' && *c <= '9');
    if (*end == 'e' || *end == 'E') {
        const char *exponent = skip_sign(end + 1);
        end = skip_digits(exponent);
        if (end == exponent)
            return false;
    }
    return *end == '\0';
}

ebm_number_result ebm_number_real(const char *text, double *value) {
    bool nonzero;
    if (!is_decimal(text, &nonzero))
        return EBM_NUMBER_SYNTAX;
    locale_t c_locale = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    if (c_locale == (locale_t)0)
        return EBM_NUMBER_RANGE;
    double parsed = strtod_l(text, NULL, c_locale);
    freelocale(c_locale);
    if (parsed > 1.7976931348623157e308 || parsed < -1.7976931348623157e308 || (parsed == 0 && nonzero))
        return EBM_NUMBER_RANGE;
    *value = parsed;
    return EBM_NUMBER_OK;
}

size_t ebm_number_text(double value, char *buffer, size_t size) {
    char text[40] = "";
    locale_t c_locale = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    locale_t caller = c_locale != (locale_t)0 ? uselocale(c_locale) : (locale_t)0;
    for (int digits = 15; digits <= 17; digits++) {
        snprintf(text, sizeof text, "%.*g", digits, value);
        if (strtod(text, NULL) == value)
            break;
    }
    if (c_locale != (locale_t)0) {
        uselocale(caller);
        freelocale(c_locale);
    }
    return (size_t)snprintf(buffer, size, "%s", text);
}
